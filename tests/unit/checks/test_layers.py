"""Layers: what they waste, how many there are, whose they are, and what is odd about their archives."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from stageproof import dockerfile
from stageproof.checks import load
from stageproof.checks.subject import Subject
from stageproof.image import Image
from stageproof.model import Finding, Verdict

if TYPE_CHECKING:
    from tests.unit.conftest import Images, Member

MEGABYTE = bytes(1_000_000)


def decide(claim: str, image: Image, subject: dict[str, Any] | None = None, **parameters: object) -> Finding:
    return load(claim).check(Subject(image, **(subject or {})), **parameters)


def verdict(claim: str, image: Image, subject: dict[str, Any] | None = None, **parameters: object) -> Verdict:
    return decide(claim, image, subject, **parameters).verdict


def wasted(finding: Finding) -> dict[str, int | None]:
    return {evidence.path: evidence.size for evidence in finding.evidence}


# --- waste-budget


def test_an_image_whose_layers_only_add_wastes_nothing(images: Images) -> None:
    finding = decide("waste-budget", images.app(images.file("a", MEGABYTE)), mb=0, percent=0)
    assert finding.verdict is Verdict.PASS
    assert finding.message.startswith("0.0 MB of 1.0 (0.0 %)")


def test_a_deleted_folder_wastes_all_that_was_below_it(images: Images) -> None:
    cache = [images.file("cache/a", MEGABYTE), images.file("cache/b/c", MEGABYTE)]
    finding = decide("waste-budget", images.image(cache, [images.file(".wh.cache", b"")]), mb=1)
    assert finding.verdict is Verdict.FAIL
    assert finding.message.endswith("2.0 MB of 2.0 (100.0 %) are hidden by later layers")
    assert wasted(finding) == {"/cache/a": 1_000_000, "/cache/b/c": 1_000_000}
    assert {evidence.text for evidence in finding.evidence} == {"deleted in layer 2"}


def test_an_emptied_folder_wastes_what_was_in_it(images: Images) -> None:
    emptied = [images.file("cache/.wh..wh..opq", b""), images.file("cache/new")]
    finding = decide("waste-budget", images.image([images.file("cache/a", MEGABYTE)], emptied), mb=0)
    assert wasted(finding) == {"/cache/a": 1_000_000}
    assert finding.evidence[0].text == "deleted in layer 2"


def test_two_deleted_files_are_counted_once_each(images: Images) -> None:
    cache = [images.file("cache/a", MEGABYTE), images.file("cache/b", MEGABYTE)]
    gone = [images.file("cache/.wh.a", b""), images.file("cache/.wh.b", b"")]
    assert "2.0 MB of 2.0" in decide("waste-budget", images.image(cache, gone), mb=1).message


def test_a_changed_mode_wastes_one_copy_and_not_both(images: Images) -> None:
    image = images.image([images.file("a", MEGABYTE, 0o644)], [images.file("a", MEGABYTE, 0o755)])
    finding = decide("waste-budget", image, mb=0)
    assert finding.message.endswith("1.0 MB of 2.0 (50.0 %) are hidden by later layers")
    assert (finding.evidence[0].layer, finding.evidence[0].text) == (1, "written again in layer 2")


def test_a_file_with_two_names_is_wasted_only_when_both_are_gone(images: Images) -> None:
    both = [images.file("a", MEGABYTE), images.hard_link("b", "a")]
    one = decide("waste-budget", images.image(both, [images.file(".wh.a", b"")]), mb=0)
    assert one.message.startswith("0.0 MB of 1.0")
    none = decide("waste-budget", images.image(both, [images.file(".wh.a", b""), images.file(".wh.b", b"")]), mb=0)
    assert wasted(none) == {"/a": 1_000_000}


def test_a_file_in_place_of_a_folder_wastes_the_folder_s_files(images: Images) -> None:
    finding = decide("waste-budget", images.image([images.file("d/a", MEGABYTE)], [images.file("d", b"x")]), mb=0)
    assert wasted(finding) == {"/d/a": 1_000_000}
    assert finding.evidence[0].text == "deleted in layer 2"


def test_both_limits_must_be_broken(images: Images) -> None:
    image = images.image([images.file("a", MEGABYTE)], [images.file(".wh.a", b""), images.file("b", MEGABYTE * 9)])
    assert verdict("waste-budget", image, mb=0.5, percent=5) is Verdict.FAIL
    assert verdict("waste-budget", image, mb=2, percent=5) is Verdict.PASS
    assert verdict("waste-budget", image, mb=0.5, percent=20) is Verdict.PASS


def test_what_the_base_wastes_by_itself_is_the_base_s_and_what_the_app_deletes_of_it_is_the_app_s(
    images: Images,
) -> None:
    below = [[images.file("a", MEGABYTE), images.file("b", MEGABYTE)], [images.file(".wh.a", b"")]]
    subject = {"bases": {"base:1": images.image(*below)}}
    clean = decide("waste-budget", images.image(*below, [images.file("c")]), subject, mb=0, percent=0)
    assert clean.verdict is Verdict.PASS
    assert clean.message.endswith("1.0 MB more are the base's own")
    deleting = decide("waste-budget", images.image(*below, [images.file(".wh.b", b"")]), subject, mb=0, percent=0)
    assert deleting.verdict is Verdict.FAIL
    assert (deleting.evidence[0].path, deleting.evidence[0].origin) == ("/b", "base base:1")


# --- layer-count


def test_layers_are_counted_in_all_and_on_top_of_the_base(images: Images) -> None:
    below: list[list[Member]] = [[images.file("a")], [images.file("b")]]
    image = images.image(*below, [images.file("c")], [images.file("d")])
    assert verdict("layer-count", image) is Verdict.PASS
    assert verdict("layer-count", image, most=3) is Verdict.FAIL
    assert verdict("layer-count", image, own=2) is Verdict.UNKNOWN
    subject = {"bases": {"base:1": images.image(*below)}}
    assert decide("layer-count", image, subject, own=2).message == "has 4 layers of 40, 2 of 2 on top of the base"
    finding = decide("layer-count", image, subject, own=1)
    assert finding.verdict is Verdict.FAIL
    assert [evidence.layer for evidence in finding.evidence] == [3, 4]


# --- clean-archive


def test_doubled_names_and_devices_outside_of_dev_are_told(images: Images) -> None:
    device = replace(images.file("x/null", b""), type=tarfile.CHRTYPE)
    finding = decide("clean-archive", images.app(images.file("a", b"1"), images.file("a", b"2"), device))
    assert finding.verdict is Verdict.FAIL
    assert [evidence.text for evidence in finding.evidence] == [
        "/a stands twice in the archive",
        "/x/null is a character device",
    ]
    assert finding.evidence[0].layer == 2


def test_a_device_below_dev_is_told_and_harms_nobody(images: Images) -> None:
    device = replace(images.file("dev/null", b""), type=tarfile.CHRTYPE)
    finding = decide("clean-archive", images.app(device))
    assert finding.verdict is Verdict.PASS
    assert [evidence.text for evidence in finding.evidence] == ["/dev/null is a character device"]


def test_a_name_that_leaves_the_root_and_one_that_is_no_utf_8_are_told(images: Images) -> None:
    assert verdict("clean-archive", images.app(images.file("a/../../etc/evil"))) is Verdict.FAIL
    finding = decide("clean-archive", images.app(images.file("caf\udce9")))
    assert finding.verdict is Verdict.FAIL
    assert "is no UTF-8" in finding.evidence[0].text
    assert verdict("clean-archive", images.app(images.file("café"))) is Verdict.PASS


# --- platform-correct


def test_a_program_for_another_cpu_is_named_and_data_for_one_is_not(images: Images) -> None:
    foreign = images.elf(machine=183)
    timeless = images.app(images.file("testdata", foreign, 0o644))
    assert verdict("platform-correct", _made(images, images.file("testdata", foreign, 0o644))) is Verdict.PASS
    assert verdict("platform-correct", _made(images, images.file("i386", images.elf(machine=3), 0o755))) is Verdict.PASS
    image = _made(images, images.file("bin/tool", foreign, 0o755))
    assert decide("platform-correct", image).evidence[0].path == "/bin/tool"
    assert verdict("platform-correct", image, other=["/bin"]) is Verdict.PASS
    assert decide("platform-correct", timeless).evidence[0].text == "the configuration has no time of making: ''"


def test_another_platform_than_the_one_wanted_fails_and_an_unheard_of_one_stays_open(images: Images) -> None:
    image = _made(images)
    assert verdict("platform-correct", image, platform="linux/amd64") is Verdict.PASS
    assert verdict("platform-correct", image, platform="linux/arm64") is Verdict.FAIL
    assert verdict("platform-correct", _made(images, architecture="pdp11")) is Verdict.UNKNOWN
    assert verdict("platform-correct", _made(images, architecture="")) is Verdict.FAIL


def _made(images: Images, *members: Member, architecture: str = "amd64") -> Image:
    """Make an image with a time of making and an architecture."""
    run = images.file("app/run", images.elf(), 0o755)
    return images.image([run, *members], top={"created": "2026-01-01T00:00:00Z", "architecture": architecture})


# --- base-layers


@pytest.fixture
def base(images: Images) -> Image:
    return images.image([images.file("etc/os-release", b"ID=debian\n")])


def test_the_layers_of_the_declared_base_are_compared(images: Images, base: Image) -> None:
    layer = [images.file("etc/os-release", b"ID=debian\n")]
    labels = {"org.opencontainers.image.base.name": "docker.io/library/debian:13"}
    image = images.image(layer, [images.file("a")], Labels=labels)
    assert verdict("base-layers", image, {"bases": {"debian:13": base}}) is Verdict.PASS
    other = images.image([images.file("other")])
    finding = decide("base-layers", image, {"bases": {"debian:13": other}})
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence[0].text == "layer 1 is another one in docker.io/library/debian:13"
    longer = images.image(layer, [images.file("a")], [images.file("b")])
    assert (
        "has 3 layers, the image 2" in decide("base-layers", image, {"bases": {"debian:13": longer}}).evidence[0].text
    )


def test_without_a_name_or_without_its_image_the_base_stays_open(images: Images, base: Image) -> None:
    plain = images.image([images.file("a")])
    assert verdict("base-layers", plain, {"bases": {"debian:13": base}}) is Verdict.UNKNOWN
    named = images.image([images.file("a")], Labels={"org.opencontainers.image.base.name": "debian:13"})
    assert verdict("base-layers", named) is Verdict.UNKNOWN


def test_the_dockerfile_names_the_base_too_and_must_not_contradict_the_label(images: Images, base: Image) -> None:
    layer = [images.file("etc/os-release", b"ID=debian\n")]
    known = {"bases": {"debian:13": base}, "dockerfile": dockerfile.parse("FROM debian:13\nCOPY a /\n")}
    assert verdict("base-layers", images.image(layer, [images.file("a")]), known) is Verdict.PASS
    lying = images.image(layer, Labels={"org.opencontainers.image.base.name": "alpine:3"})
    finding = decide("base-layers", lying, known)
    assert finding.evidence[0].text == "the label says alpine:3, FROM says debian:13"
