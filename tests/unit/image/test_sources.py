"""An image is the same wherever it comes from, and what is not well-formed is an error in four parts."""

from __future__ import annotations

import gzip
import io
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import zstandard

from stageproof.errors import ImageError, UsageError
from stageproof.image import Image, sources
from stageproof.image.limits import Limits
from stageproof.image.platforms import Platform
from stageproof.image.traffic import Traffic
from tests.unit.conftest import Images, file, link, tar
from tests.unit.image.layouts import ATTESTATION, Layout, config_of, descriptor, digest

LAYER = tar([file("a", b"x" * 5000)])
OTHER = tar([file("b", b"y" * 5000)])
HERE = Platform.here().architecture
ELSEWHERE = "arm64" if HERE != "arm64" else "amd64"


def only(source: Path | str, cache: Path, **options: Any) -> Image:
    found = sources.read([str(source)], cache=cache, **options)
    assert list(found) == [str(source)]
    assert len(found[str(source)]) == 1
    return found[str(source)][0]


def layout_of(*layers: bytes, packed: list[bytes] | None = None) -> Layout:
    layout = Layout()
    layout.list(layout.image(*layers, packed=packed), "it:1")
    return layout


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def same(data: bytes) -> bytes:
    return data


@pytest.mark.parametrize("pack", [same, gzip.compress, zstd])
def test_a_folder_a_tar_and_standard_input_give_the_same_image(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    layout = layout_of(LAYER, packed=[pack(LAYER)])
    folder = layout.folder(tmp_path / "layout")
    archive = tmp_path / "archive.tar"
    archive.write_bytes(layout.tar())
    images = [
        only(folder, tmp_path / "1"),
        only(archive, tmp_path / "2"),
        only("-", tmp_path / "3", stdin=io.BytesIO(layout.tar())),
        only(f"oci:{folder}", tmp_path / "4"),
        only(f"oci:{folder}:it:1", tmp_path / "5"),
    ]
    assert {image.id for image in images} == {f"sha256:{digest(config_of(LAYER))}"}
    assert all(image.tree == images[0].tree and image.find("/a") for image in images)
    assert {image.source for image in images} == {"it:1"}
    assert {image.layers[0].diff_id for image in images} == {f"sha256:{digest(LAYER)}"}


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_an_archive_that_is_packed_as_a_whole_is_read(
    images: Images, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "archive.tar.gz"
    path.write_bytes(pack(images.archive([LAYER])))
    assert only(path, tmp_path / "cache").find("/a")


def test_the_size_to_pull_of_a_packed_layer_is_the_size_that_it_has(tmp_path: Path) -> None:
    packed = gzip.compress(LAYER, 1)
    image = only(layout_of(LAYER, packed=[packed]).folder(tmp_path / "layout"), tmp_path / "cache")
    assert image.pull == len(packed)


def test_what_was_not_weighed_has_no_size_to_pull_and_is_weighed_when_it_is_asked_for(tmp_path: Path) -> None:
    folder = layout_of(LAYER).folder(tmp_path / "layout")
    light = only(folder, tmp_path / "cache", weigh=False)
    with pytest.raises(ImageError, match="size to pull"):
        assert light.pull
    assert only(folder, tmp_path / "cache").pull > 0
    assert only(folder, tmp_path / "cache", weigh=False).pull > 0


def test_a_layer_that_is_a_link_to_another_is_read_as_old_dockers_meant_it(images: Images, tmp_path: Path) -> None:
    config = config_of(LAYER, LAYER)
    contents = [{"Config": "c.json", "RepoTags": ["old:1"], "Layers": ["1/layer.tar", "2/layer.tar"]}]
    members = [file("1/layer.tar", LAYER), link("2/layer.tar", "../1/layer.tar"), file("c.json", config)]
    data = images.tar([*members, file("manifest.json", json.dumps(contents).encode())])
    path = tmp_path / "old.tar"
    path.write_bytes(data)
    assert len(only(path, tmp_path / "1").layers) == 2
    assert len(only("-", tmp_path / "2", stdin=io.BytesIO(data)).layers) == 2


# Platforms


def many(*architectures: str, nested: bool = True) -> Layout:
    layout = Layout()
    made = [layout.image(LAYER, architecture=name) for name in architectures]
    attestation = layout.put(b'{"predicate": {}}', platform=ATTESTATION)
    if nested:
        layout.list(layout.index(*made, attestation), "it:1")
    else:
        for one in [*made, attestation]:
            layout.list(one)
    return layout


@pytest.mark.parametrize("nested", [False, True])
def test_the_platform_of_this_machine_is_taken_where_there_are_several(tmp_path: Path, nested: bool) -> None:
    folder = many("s390x", HERE, ELSEWHERE, nested=nested).folder(tmp_path / "layout")
    assert only(folder, tmp_path / "cache").platform == f"linux/{HERE}"


@pytest.mark.parametrize("nested", [False, True])
def test_the_platform_that_is_asked_for_is_taken(tmp_path: Path, nested: bool) -> None:
    folder = many(HERE, ELSEWHERE, nested=nested).folder(tmp_path / "layout")
    image = only(folder, tmp_path / "cache", platform=f"linux/{ELSEWHERE}")
    assert image.platform == f"linux/{ELSEWHERE}"


def test_the_only_platform_is_taken_whatever_machine_this_is(tmp_path: Path) -> None:
    folder = many("s390x").folder(tmp_path / "layout")
    assert only(folder, tmp_path / "cache").platform == "linux/s390x"


@pytest.mark.parametrize("options", [{"platform": "linux/riscv64"}, {}])
def test_where_no_platform_fits_those_that_are_there_are_named(tmp_path: Path, options: dict[str, str]) -> None:
    folder = many("s390x", "ppc64le").folder(tmp_path / "layout")
    with pytest.raises(ImageError) as caught:
        only(folder, tmp_path / "cache", **options)
    assert "linux/ppc64le, linux/s390x" in caught.value.seen
    assert caught.value.do


def test_a_single_image_for_another_platform_than_asked_for_is_an_error(images: Images, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(images.archive([LAYER]))
    assert only(path, tmp_path / "cache", platform="linux/amd64").tree
    with pytest.raises(ImageError, match="linux/arm64"):
        only(path, tmp_path / "cache", platform="linux/arm64")


@pytest.mark.parametrize("text", ["arm64", "linux/", "linux/arm64/v8/x", "Linux/ARM", "../x"])
def test_what_is_no_platform_is_a_wrong_use(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError):
        only(many(HERE).folder(tmp_path / "layout"), tmp_path / "cache", platform=text)


@pytest.mark.parametrize(
    ("asked", "there", "fits"),
    [
        ("linux/arm", "linux/arm/v7", True),
        ("linux/arm/v7", "linux/arm/v7", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/amd64", "windows/amd64", False),
    ],
)
def test_a_variant_counts_only_if_it_is_asked_for(asked: str, there: str, fits: bool) -> None:
    assert Platform.written(asked).covers(Platform.written(there)) is fits


def test_an_index_in_an_index_is_followed_and_an_endless_one_is_refused(tmp_path: Path) -> None:
    layout = Layout()
    inner = layout.image(LAYER)
    for _ in range(3):
        inner = layout.index(inner)
    layout.list(inner)
    assert only(layout.folder(tmp_path / "deep"), tmp_path / "cache").find("/a")
    for _ in range(10):
        inner = layout.index(inner)
    layout.top = [inner]
    with pytest.raises(ImageError, match="cannot be read") as caught:
        only(layout.folder(tmp_path / "deeper"), tmp_path / "cache")
    assert "too deep" in caught.value.seen


def test_an_index_that_names_another_a_thousand_times_on_each_level_ends_at_once(tmp_path: Path) -> None:
    layout = Layout()
    inner = layout.image(LAYER)
    for _ in range(6):
        inner = layout.index(*[inner] * 1000)
    layout.list(inner)
    with pytest.raises(ImageError) as caught:
        only(layout.folder(tmp_path / "layout"), tmp_path / "cache")
    assert "too many" in caught.value.seen


def test_a_signature_beside_an_image_is_no_image(tmp_path: Path) -> None:
    layout = layout_of(LAYER)
    about = layout.put(b"{}")
    layout.list(layout.put(json.dumps({"config": about, "layers": [layout.put(b"signed")]}).encode()), "it.sig")
    assert only(layout.folder(tmp_path / "layout"), tmp_path / "cache").source == "it:1"


def test_a_platform_whose_manifest_was_not_copied_is_not_there(tmp_path: Path) -> None:
    layout = Layout()
    here, elsewhere = layout.image(LAYER, architecture=HERE), layout.image(LAYER, architecture=ELSEWHERE)
    layout.list(layout.index(here, elsewhere))
    del layout.blobs[elsewhere["digest"].partition(":")[2]]
    folder = layout.folder(tmp_path / "layout")
    assert only(folder, tmp_path / "cache").platform == f"linux/{HERE}"
    with pytest.raises(ImageError, match=ELSEWHERE):
        only(folder, tmp_path / "cache", platform=f"linux/{ELSEWHERE}")


def test_several_images_of_one_archive_are_all_given(tmp_path: Path) -> None:
    layout = layout_of(LAYER)
    layout.list(layout.image(LAYER, OTHER), "it:2")
    folder = layout.folder(tmp_path / "layout")
    found = sources.read([str(folder)], cache=tmp_path / "cache")[str(folder)]
    assert [(image.source, len(image.layers)) for image in found] == [("it:1", 1), ("it:2", 2)]
    assert only(f"oci:{folder}:it:2", tmp_path / "cache").source == "it:2"
    with pytest.raises(ImageError, match="no image it:3"):
        only(f"oci:{folder}:it:3", tmp_path / "cache")


# What is not well-formed


def broken_blob(layout: Layout) -> None:
    layout.blobs[digest(LAYER)] = OTHER


def broken_config(layout: Layout) -> None:
    layout.blobs[digest(config_of(LAYER))] = config_of(OTHER)


def missing_layer(layout: Layout) -> None:
    del layout.blobs[digest(LAYER)]


def missing_config(layout: Layout) -> None:
    del layout.blobs[digest(config_of(LAYER))]


def missing_manifest(layout: Layout) -> None:
    del layout.blobs[str(layout.top[0]["digest"]).partition(":")[2]]


def other_diff_id(layout: Layout) -> None:
    parts = [layout.put(OTHER)]
    layout.top = [layout.put(json.dumps({"config": descriptor(config_of(LAYER)), "layers": parts}).encode())]


def too_few_layers(layout: Layout) -> None:
    layout.top = [layout.put(json.dumps({"config": descriptor(config_of(LAYER)), "layers": []}).encode())]


def wrong_size(layout: Layout) -> None:
    parts = [{**descriptor(LAYER), "size": 5}]
    layout.top = [layout.put(json.dumps({"config": descriptor(config_of(LAYER)), "layers": parts}).encode())]


def wrong_size_of_config(layout: Layout) -> None:
    about = {**descriptor(config_of(LAYER)), "size": 5}
    layout.top = [layout.put(json.dumps({"config": about, "layers": [descriptor(LAYER)]}).encode())]


def no_digest(layout: Layout) -> None:
    layout.top = [{"digest": "sha256:../../../etc/passwd"}]


def digest_is_no_text(layout: Layout) -> None:
    layout.top = [{"digest": {}}]


def manifests_are_no_list(layout: Layout) -> None:
    layout.top = [layout.put(b'{"manifests": {"a": 1}}')]


def manifest_is_no_json(layout: Layout) -> None:
    layout.top = [layout.put(b"{nothing")]


def manifest_is_a_list(layout: Layout) -> None:
    layout.top = [layout.put(b"[1, 2]")]


def no_images(layout: Layout) -> None:
    layout.top = []


BROKEN = [
    broken_blob,
    broken_config,
    missing_layer,
    missing_config,
    missing_manifest,
    other_diff_id,
    too_few_layers,
    wrong_size,
    wrong_size_of_config,
    no_digest,
    digest_is_no_text,
    manifests_are_no_list,
    manifest_is_no_json,
    manifest_is_a_list,
    no_images,
]


@pytest.mark.parametrize("form", ["folder", "tar", "stream"])
@pytest.mark.parametrize("damage", BROKEN)
def test_a_layout_that_contradicts_itself_is_an_error(
    tmp_path: Path, damage: Callable[[Layout], None], form: str
) -> None:
    layout = layout_of(LAYER)
    damage(layout)
    path = layout.folder(tmp_path / "layout") if form == "folder" else tmp_path / "layout.tar"
    if form != "folder":
        path.write_bytes(layout.tar())
    source = "-" if form == "stream" else str(path)
    for _ in range(2):  # also when the layers are remembered
        with pytest.raises(ImageError) as caught, io.BytesIO(layout.tar()) as stdin:
            sources.read([source], cache=tmp_path / "cache", stdin=stdin)
        assert all([caught.value.failed, caught.value.seen, caught.value.why])


def test_a_layer_that_was_changed_after_it_was_read_is_found_though_it_is_remembered(tmp_path: Path) -> None:
    folder = layout_of(LAYER).folder(tmp_path / "layout")
    assert only(folder, tmp_path / "cache").tree
    blob = folder / "blobs/sha256" / digest(LAYER)
    about = blob.stat()
    blob.write_bytes(LAYER.replace(b"xxx", b"xyx", 1))
    os.utime(blob, ns=(about.st_atime_ns, about.st_mtime_ns))
    with pytest.raises(ImageError, match="cannot be read"):
        only(folder, tmp_path / "cache")


def test_two_tables_of_contents_that_differ_are_an_error(images: Images, tmp_path: Path) -> None:
    layout = layout_of(LAYER)
    other = layout.put(config_of(OTHER))
    layer = layout.put(OTHER)["digest"].replace(":", "/")
    contents = [
        {
            "Config": f"blobs/{other['digest'].replace(':', '/')}",
            "RepoTags": ["it:1"],
            "Layers": [f"blobs/{layer}"],
        }
    ]
    members = [file(name, data) for name, data in layout.files().items()]
    path = tmp_path / "two.tar"
    path.write_bytes(images.tar([*members, file("manifest.json", json.dumps(contents).encode())]))
    with pytest.raises(ImageError) as caught:
        only(path, tmp_path / "cache")
    assert "in manifest.json" in caught.value.seen


@pytest.mark.parametrize("form", ["tar", "stream"])
def test_a_document_that_stands_twice_in_an_archive_is_an_error(images: Images, tmp_path: Path, form: str) -> None:
    one_more = images.tar([file("manifest.json", b"[]")])[:1024]
    path = tmp_path / "twice.tar"
    path.write_bytes(one_more + images.archive([LAYER]))
    with pytest.raises(ImageError) as caught, path.open("rb") as stdin:
        sources.read(["-" if form == "stream" else str(path)], cache=tmp_path / "cache", stdin=stdin)
    assert "stands twice" in caught.value.seen


def test_a_config_named_by_another_digest_is_an_error(images: Images, tmp_path: Path) -> None:
    name = f"{digest(b'another')}.json"
    contents = json.dumps([{"Config": name, "RepoTags": ["a:1"], "Layers": ["l.tar"]}]).encode()
    members = [file("l.tar", LAYER), file(name, config_of(LAYER)), file("manifest.json", contents)]
    path = tmp_path / "a.tar"
    path.write_bytes(images.tar(members))
    with pytest.raises(ImageError) as caught:
        only(path, tmp_path / "cache")
    assert "has another" in caught.value.seen


@pytest.mark.parametrize("source", ["missing.tar", "./missing", "oci:missing", "/missing/x"])
def test_a_path_that_is_not_there_is_told(tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImageError, match="missing") as caught:
        sources.read([source], cache=tmp_path / "cache")
    assert caught.value.seen


def test_a_folder_without_a_layout_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="holds no image"):
        only(tmp_path, tmp_path / "cache")


@pytest.mark.parametrize("data", [b"", b"text\n" * 500, bytes(4096), gzip.compress(b"text", mtime=0), b"\x1f\x8b"])
def test_a_file_that_is_no_archive_is_told(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(data)
    with pytest.raises(ImageError):
        only(path, tmp_path / "cache")


def test_a_named_pipe_in_place_of_a_file_is_told_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "x.tar"
    os.mkfifo(pipe)
    with pytest.raises(ImageError, match="cannot be read"):
        only(pipe, tmp_path / "cache")
    folder = layout_of(LAYER).folder(tmp_path / "layout")
    blob = folder / "blobs/sha256" / digest(LAYER)
    blob.unlink()
    os.mkfifo(blob)
    with pytest.raises(ImageError) as caught:
        only(folder, tmp_path / "cache")
    assert "is no file" in caught.value.seen


def test_a_document_of_many_megabytes_is_refused(tmp_path: Path) -> None:
    folder = layout_of(LAYER).folder(tmp_path / "layout")
    with pytest.raises(ImageError) as caught:
        only(folder, tmp_path / "cache", limits=Limits(document=50))
    assert "more than 50 bytes" in caught.value.seen
    with pytest.raises(ImageError) as caught:
        only("-", tmp_path / "cache", limits=Limits(documents=50), stdin=io.BytesIO(layout_of(LAYER).tar()))
    assert "more than 50 bytes" in caught.value.seen


def test_an_outer_archive_of_too_many_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(layout_of(LAYER).tar())
    with pytest.raises(ImageError) as caught:
        only(path, tmp_path / "cache", limits=Limits(members=3))
    assert "more than 3 entries" in caught.value.seen


# What needs an engine


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("alpine", True),
        ("registry.example/team/app:1.2", True),
        ("sha256:" + "a" * 64, True),
        ("app@sha256:" + "a" * 64, True),
        ("-", False),
        ("./x", False),
        ("../x", False),
        ("/x", False),
        ("x.tar", False),
        ("x.tar.gz", False),
        ("x.tgz", False),
        ("oci:x", False),
        ("here", False),
    ],
)
def test_only_a_name_that_is_no_path_needs_an_engine(
    source: str, needed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").touch()
    assert sources.needs_engine(source) is needed


class Engine:
    """An engine with images, that counts what it is asked."""

    def __init__(self, images: Images, **layers: bytes) -> None:
        self.images = images
        self.layers = layers

    def describe(self, name: str) -> Mapping[str, Any]:
        if name not in self.layers:
            failed = f"the engine has no image {name}"
            raise ImageError(failed, seen="404", why="it cannot be read", do="pull it")
        return {"Id": f"sha256:{digest(config_of(self.layers[name]))}", "Os": "linux", "Architecture": "amd64"}

    def save(self, names: list[str]) -> Iterable[bytes]:
        layout = Layout()
        for name in names:
            layout.list(layout.image(self.layers[name]), name)
        return [layout.tar()]


def test_all_names_of_an_engine_are_saved_in_one_request_and_the_order_is_kept(images: Images, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(images.archive([LAYER]))
    engine, traffic = Engine(images, one=LAYER, two=OTHER), Traffic()
    asked = ["two", str(path), "one", "two"]
    found = sources.read(asked, cache=tmp_path / "cache", engine=lambda: engine, traffic=traffic)
    assert list(found) == ["two", str(path), "one"]
    assert traffic.saved == [("two", "one")]
    assert found["two"][0].find("/b")
    assert found["one"][0].source == "one"
    again = Traffic()
    sources.read(["two", "one"], cache=tmp_path / "cache", engine=lambda: engine, traffic=again)
    assert (again.saved, again.layer_bytes) == ([], 0)


def test_an_engine_is_not_asked_for_where_none_is_needed(images: Images, tmp_path: Path) -> None:
    def none() -> sources.Engine:
        pytest.fail("no engine is needed")

    path = tmp_path / "a.tar"
    path.write_bytes(images.archive([LAYER]))
    assert only(path, tmp_path / "cache", engine=none).tree


def test_a_name_without_an_engine_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="app:1 cannot be read"):
        sources.read(["app:1"], cache=tmp_path / "cache")


def test_a_name_that_the_engine_does_not_know_is_told_in_its_words(images: Images, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="has no image app:1"):
        sources.read(["app:1"], cache=tmp_path / "cache", engine=lambda: Engine(images))


def test_an_image_of_the_engine_for_another_platform_is_told(images: Images, tmp_path: Path) -> None:
    engine = Engine(images, one=LAYER)
    assert only("one", tmp_path / "cache", engine=lambda: engine, platform="linux/amd64").tree
    for _ in range(2):
        with pytest.raises(ImageError, match="one is not there for linux/arm64"):
            only("one", tmp_path / "cache", engine=lambda: engine, platform="linux/arm64")


# What it costs


def settled(path: Path) -> None:
    """Wait until the files are old enough to be recognised; see `shelf.seal`."""
    deadline = time.monotonic() + 10
    newest = max(one.stat().st_ctime_ns for one in [path, *path.rglob("*")])
    while time.time_ns() - newest < 200_000_000:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("pack", [same, gzip.compress, zstd])
def test_the_second_time_no_byte_of_a_layer_is_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    layout = layout_of(LAYER, OTHER, packed=[pack(LAYER), pack(OTHER)])
    folder = layout.folder(tmp_path / "layout")
    path = tmp_path / "a.tar"
    path.write_bytes(layout.tar())
    settled(tmp_path)
    first, second = Traffic(), Traffic()
    asked = [str(folder), str(path)]
    before = sources.read(asked, cache=tmp_path / "cache", traffic=first)
    after = sources.read(asked, cache=tmp_path / "cache", traffic=second)
    assert second.layer_bytes == 0
    assert set(first.indexed.values()) == {1}
    assert set(first.hashed.values()) == {1}, "the copies in the tar are proved to be the same"
    assert [image.tree for image in before[str(folder)]] == [image.tree for image in after[str(path)]]


def test_every_layer_of_several_archives_is_indexed_once(images: Images, tmp_path: Path) -> None:
    paths = []
    for number in range(4):
        own = tar([file(f"own-{number}", bytes([number]) * 700)])
        paths.append(tmp_path / f"{number}.tar")
        paths[-1].write_bytes(images.archive([LAYER, OTHER, own], name=f"it:{number}"))
    traffic = Traffic()
    sources.read([str(path) for path in paths], cache=tmp_path / "cache", traffic=traffic)
    assert len(traffic.indexed) == 6
    assert set(traffic.indexed.values()) == {1}


def test_only_the_layers_of_the_platform_that_is_asked_for_are_read(tmp_path: Path) -> None:
    layout = Layout()
    layout.list(layout.index(layout.image(LAYER, architecture=HERE), layout.image(OTHER, architecture=ELSEWHERE)))
    traffic = Traffic()
    only(layout.folder(tmp_path / "layout"), tmp_path / "cache", traffic=traffic)
    assert traffic.layer_bytes == len(LAYER)
