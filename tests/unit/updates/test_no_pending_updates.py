"""`no-pending-updates`, decided by the real apt from a real archive that a key signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from stageproof.checks import load
from stageproof.checks.subject import Subject
from stageproof.image import kept
from stageproof.model import Finding, Verdict
from tests.unit.conftest import Images, Member
from tests.unit.updates.conftest import Archive, Key

RELEASE = b'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_CODENAME=trixie\n'
Package = tuple[str, str] | tuple[str, str, str]


def status(packages: Sequence[Package]) -> bytes:
    paragraphs = [
        f"Package: {name}\nStatus: install ok installed\nArchitecture: {''.join(architecture) or 'amd64'}\n"
        f"Version: {version}\nDepends: gone (= 9)\n\n"
        for name, version, *architecture in packages
    ]
    return "".join(paragraphs).encode()


def system(images: Images, *packages: Package, release: bytes = RELEASE) -> list[Member]:
    return [images.file("etc/os-release", release), images.file("var/lib/dpkg/status", status(packages))]


def decide(images: Images, *packages: Package, release: bytes = RELEASE) -> Finding:
    return ask(Subject(images.image(system(images, *packages, release=release))))


def ask(subject: Subject) -> Finding:
    return load("no-pending-updates").check(subject)


def texts(finding: Finding) -> str:
    return "\n".join(evidence.text for evidence in finding.evidence)


# --- it holds


def test_an_image_with_all_of_security_holds_and_tells_the_date_and_the_number(
    archive: Archive, images: Images
) -> None:
    archive.publish(trixie={"openssl": "3.0-1", "bash": "5-1"}, trixie_security={"openssl": "3.0-1+deb13u2"})
    finding = decide(images, ("openssl", "3.0-1+deb13u2"), ("bash", "5-1"))
    assert finding.verdict is Verdict.PASS
    assert finding.message.endswith("2 packages compared with the lists of trixie-security of 2026-11-20")
    assert finding.evidence == ()


def test_what_is_newer_elsewhere_and_what_debian_does_not_have_are_told(archive: Archive, images: Images) -> None:
    archive.publish(trixie={"bash": "5-2"}, trixie_updates={"tzdata": "2026b-1"})
    finding = decide(images, ("bash", "5-1"), ("tzdata", "2026a-1", "all"), ("shop", "1.0"))
    assert finding.verdict is Verdict.PASS
    assert "2 packages compared" in finding.message
    assert texts(finding) == (
        "not compared, since no list of Debian names them: shop\n"
        "newer in trixie, and no security update: bash 5-2, tzdata 2026b-1"
    )


def test_an_installed_version_that_is_newer_than_the_published_one_is_none_too_few(
    archive: Archive, images: Images
) -> None:
    archive.publish(trixie_security={"openssl": "3.0-1+deb13u2", "g++": "14-1"})
    assert decide(images, ("openssl", "3.0-1+deb13u10"), ("g++", "14-1")).verdict is Verdict.PASS


# --- it fails


def test_a_package_behind_the_security_suite_is_named_with_both_versions_and_its_file(
    archive: Archive, images: Images
) -> None:
    archive.publish(trixie={"bash": "5-2"}, trixie_security={"openssl": "1:3.0-1~deb13u10", "g++": "14-1+b1"})
    finding = decide(images, ("openssl", "1:3.0-1~deb13u9"), ("bash", "5-1"), ("g++", "14-1"))
    assert finding.verdict is Verdict.FAIL
    assert "2 of 3 packages" in finding.message
    assert texts(finding) == (
        "openssl 1:3.0-1~deb13u9, and 1:3.0-1~deb13u10 is published\ng++ 14-1, and 14-1+b1 is published"
    )
    assert {evidence.path for evidence in finding.evidence} == {"/var/lib/dpkg/status"}


def test_a_newer_point_release_does_not_hide_the_security_update_below_it(archive: Archive, images: Images) -> None:
    archive.publish(trixie={"openssl": "3.0-9"}, trixie_security={"openssl": "3.0-2"})
    finding = decide(images, ("openssl", "3.0-1"))
    assert finding.verdict is Verdict.FAIL
    assert texts(finding) == "openssl 3.0-1, and 3.0-2 is published"


def test_the_layer_that_brought_the_version_is_named_and_whose_it_is(archive: Archive, images: Images) -> None:
    archive.publish(trixie_security={"openssl": "3.0-2", "curl": "8-2"})
    below = system(images, ("openssl", "3.0-1"))
    above = images.file("var/lib/dpkg/status", status([("openssl", "3.0-1"), ("curl", "8-1")]))
    finding = ask(Subject(images.image(below, [above]), bases={"debian:13": images.image(below)}))
    assert [(evidence.layer, evidence.origin) for evidence in finding.evidence] == [(1, "base debian:13"), (2, "app")]


def test_distroless_records_and_its_own_os_release_are_read(archive: Archive, images: Images) -> None:
    archive.publish(trixie_security={"tzdata": "2026b-1"})
    release = images.file("usr/lib/os-release", b'ID="debian"\nVERSION="Debian GNU/Linux 13 (trixie)"\n')
    record = images.file("var/lib/dpkg/status.d/tzdata", b"Package: tzdata\nVersion: 2026a-1\nArchitecture: all\n")
    finding = ask(Subject(images.image([release, record])))
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence[0].path == "/var/lib/dpkg/status.d/tzdata"


# --- it is unknown, or says nothing


def test_without_debian_packages_it_is_not_applicable(images: Images) -> None:
    finding = ask(Subject(images.image([images.file("lib/apk/db/installed", b"P:musl\nV:1\n")])))
    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert finding.message


@pytest.mark.parametrize(
    "release", [b"", b'PRETTY_NAME="Ubuntu 26.04"\nID=ubuntu\nVERSION_CODENAME=resolute\n', b"ID=debian\n"]
)
def test_what_is_no_release_of_debian_with_a_code_name_stays_open(images: Images, release: bytes) -> None:
    assert decide(images, ("bash", "5-1"), release=release).verdict is Verdict.UNKNOWN


def test_a_package_that_cannot_be_compared_leaves_it_open_unless_another_is_pending(
    archive: Archive, images: Images
) -> None:
    archive.publish(trixie={"bash": "5-1"}, trixie_security={"openssl": "3.0-2"})
    odd: list[Package] = [("libc6", "2-1", "i386"), ("Bad_Name", "1"), ("tar", ""), ("bash", "5-2")]
    finding = decide(images, ("bash", "5-1"), ("sed", "1"), *odd)
    assert finding.verdict is Verdict.UNKNOWN
    assert texts(finding) == (
        "not compared: libc6 of the architecture i386\n"
        "not compared, no name or no version of a package: Bad_Name 1\n"
        "not compared, no name or no version of a package: tar\n"
        "not compared, recorded as 5-1 and as 5-2: bash"
    )
    assert decide(images, ("openssl", "3.0-1"), *odd).verdict is Verdict.FAIL


def test_records_that_were_not_read_and_lists_that_name_no_package_leave_it_open(
    archive: Archive, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.publish(trixie={"bash": "5-1"})
    assert texts(decide(images, ("shop", "1"))) == "Debian's lists of trixie name none of its packages"
    monkeypatch.setattr(kept, "LARGEST", 100)
    finding = decide(images, ("bash", "5-1"), ("tar", "1"))
    assert (finding.verdict, texts(finding)) == (Verdict.UNKNOWN, "not read: /var/lib/dpkg/status")


def test_without_apt_it_stays_open(images: Images, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = decide(images, ("bash", "5-1"))
    assert (finding.verdict, texts(finding)) == (Verdict.UNKNOWN, "there is no apt-get on this host")


def test_a_host_without_a_security_suite_leaves_it_open(archive: Archive, images: Images) -> None:
    archive.configure(security="stable-backports")
    finding = decide(images, ("bash", "5-1"))
    assert finding.verdict is Verdict.UNKNOWN
    assert "they name: stable, stable-updates, stable-backports" in texts(finding)


def test_lists_that_a_stranger_signed_leave_it_open(archive: Archive, images: Images, stranger: Key) -> None:
    archive.publish(key=stranger, trixie={"bash": "5-1"})
    finding = decide(images, ("bash", "5-1"))
    assert finding.verdict is Verdict.UNKNOWN
    assert "is not signed" in texts(finding)


def test_lists_past_their_date_and_those_of_another_release_leave_it_open(archive: Archive, images: Images) -> None:
    archive.publish(until=timedelta(hours=1), trixie={"bash": "5-1"})
    assert "is expired" in texts(decide(images, ("bash", "5-1")))
    archive.configure(f"copy:{archive.folder}")
    archive.publish(codename="bookworm", trixie={"bash": "5-1"})
    finding = decide(images, ("bash", "5-1"))
    assert finding.verdict is Verdict.UNKNOWN
    assert "the mirror has another release in its place" in texts(finding)


def test_an_apt_that_does_not_see_every_package_proves_nothing(
    archive: Archive, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.publish(trixie={"bash": "5-1", "tar": "1"})
    # The real one sees what it is given: this one loses the last.
    program = archive.folder / "bin/apt-cache"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nfor last; do :; done\nexec /usr/bin/apt-cache "$1" "$2" "$3" "$4"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    finding = decide(images, ("bash", "5-1"), ("tar", "1"))
    assert finding.verdict is Verdict.UNKNOWN
    assert texts(finding) == "apt saw 1 of 2 installed packages as they were written\ntar"
