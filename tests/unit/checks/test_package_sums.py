"""`packages-unmodified` by what apk's database and Python's RECORD files say."""

from __future__ import annotations

import base64
import hashlib

import pytest

from stageproof.checks import load
from stageproof.checks.subject import Subject
from stageproof.image import Image, kept
from stageproof.model import Finding, Verdict
from tests.unit.conftest import Images, Member

APK, SITE = "lib/apk/db/installed", "usr/local/lib/python3.13/site-packages"
# Sums of a real Alpine's database: of its etc/modules and etc/hostname.
MODULES, HOSTNAME = "Q1toogjUipHGcMgECgPJX64SwUT1M=", "Q16nVwYVXP/tChvUPdukVD2ifXOmc="
DATABASE = f"""C:Q1nlvLhUD9Xr5v6U4wrsqUk6N0l5Y=
P:alpine-baselayout-data
V:3.6.5-r0
r:alpine-baselayout
F:lib
M:0:0:755
R:modules
a:0:0:644
Z:{MODULES}
R:without-a-sum
F:etc
R:hostname
Z:{HOSTNAME}
F:
R:gone
Z:{HOSTNAME}

P:empty
V:1-r0

"""


def decide(image: Image, *allowed: str) -> Finding:
    return load("packages-unmodified").check(Subject(image), allowed=allowed)


def alpine(images: Images, content: bytes, database: str = DATABASE, path: str = "lib/modules") -> Image:
    return images.app(
        images.file(APK, database.encode()), images.file(path, content), images.file("etc/hostname", b"x")
    )


def test_files_as_apk_recorded_them_are_unmodified_and_those_below_etc_may_change(images: Images) -> None:
    finding = decide(alpine(images, b"af_packet\nipv6\n"))
    assert finding.verdict is Verdict.PASS
    assert finding.message.endswith("1 files of 2 packages")


def test_one_changed_byte_of_an_alpine_file_is_told_with_its_package(images: Images) -> None:
    finding = decide(alpine(images, b"af_packet\nipv4\n"))
    assert finding.verdict is Verdict.FAIL
    assert (finding.evidence[0].path, finding.evidence[0].layer) == ("/lib/modules", 2)
    assert finding.evidence[0].text == "other bytes than the package alpine-baselayout-data brought"
    assert decide(alpine(images, b"af_packet\nipv4\n"), "/lib/*").verdict is Verdict.UNKNOWN


def test_the_database_may_lie_in_usr_and_folders_be_links(images: Images) -> None:
    for content, verdict in ((b"af_packet\nipv6\n", Verdict.PASS), (b"evil", Verdict.FAIL)):
        files = [images.file("usr/lib/apk/db/installed", DATABASE.encode()), images.file("usr/lib/modules", content)]
        finding = decide(images.app(images.link("lib", "usr/lib"), *files))
        assert finding.verdict is verdict
        assert len(finding.evidence) == (verdict is Verdict.FAIL)


def test_packages_of_apk_3_are_told_by_their_sha256(images: Images) -> None:
    whole = hashlib.sha256(b"one").digest()
    for told in (f"Q1{base64.b64encode(whole[:20]).decode()}", f"Q2{base64.b64encode(whole).decode()}"):
        database = f"P:a\nf:S\nF:lib\nR:modules\nZ:{told}\n\n{DATABASE.replace('R:modules', 'R:other')}"
        assert decide(alpine(images, b"one", database)).verdict is Verdict.PASS
        assert decide(alpine(images, b"two", database)).verdict is Verdict.FAIL
        # The letter is of one package alone.
        other = images.app(images.file(APK, database.encode()), images.file("lib/other", b"af_packet\nipv6\n"))
        assert decide(other).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "told", ["Q1", "Q1!!!!", "Q1AAAA", "Q2AAAA", "Q3AAAA", "0123456789abcdef0123456789abcdef", "é"]
)
def test_a_sum_of_another_form_leaves_it_open(images: Images, told: str) -> None:
    finding = decide(alpine(images, b"one", DATABASE.replace(MODULES, told)))
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.evidence[0].text == "not compared: /lib/modules"


def test_a_file_outside_the_folders_of_packages_and_a_database_without_sums_leave_it_open(images: Images) -> None:
    finding = decide(alpine(images, b"x", DATABASE.replace("F:lib", "F:opt"), "opt/modules"))
    assert (finding.verdict, finding.evidence[0].text) == (Verdict.UNKNOWN, "not compared: /opt/modules")
    finding = decide(alpine(images, b"x", "P:a\nV:1\n\n"))
    assert (finding.verdict, finding.evidence[0].text) == (Verdict.UNKNOWN, "no package recorded the sum of a file")


def test_rpm_stays_open_and_says_why(images: Images) -> None:
    finding = decide(images.app(images.file("var/lib/rpm/rpmdb.sqlite"), *distribution(images)))
    assert finding.verdict is Verdict.UNKNOWN
    assert "/var/lib/rpm records are in a database that the index does not hold" in finding.evidence[0].text


# --- Python


def told(data: bytes, kind: str = "sha256") -> str:
    digest = hashlib.new(kind, data).digest()
    return f"{kind}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def distribution(images: Images, *rows: str, code: bytes = b"import this\n") -> list[Member]:
    """Give a distribution whose files are unchanged but for `code`, with more rows in its RECORD."""
    record = [
        f"shop/__init__.py,{told(b'import this' + chr(10).encode())},12",
        f'"shop/a,b.py",{told(b"1")},1',
        f"../../../bin/shop,{told(b'#!/usr/bin/python3')},18",
        "shop/__pycache__/__init__.cpython-313.pyc,,",
        f"shop/gone.py,{told(b'')},0",
        "my_shop-1.2.dist-info/RECORD,,",
        *rows,
    ]
    return [
        images.file(f"{SITE}/my_shop-1.2.dist-info/RECORD", "\r\n".join(record).encode()),
        images.file(f"{SITE}/shop/__init__.py", code),
        images.file(f"{SITE}/shop/a,b.py", b"1"),
        images.file(f"{SITE}/shop/__pycache__/__init__.cpython-313.pyc", b"anything"),
        images.file("usr/local/bin/shop", b"#!/usr/bin/python3"),
    ]


def test_files_as_their_record_says_are_unmodified_and_bytecode_has_no_sum(images: Images) -> None:
    finding = decide(images.app(*distribution(images)))
    assert finding.verdict is Verdict.PASS
    assert finding.message.endswith("3 files of 1 packages")


def test_one_changed_byte_of_a_python_file_is_told_with_its_distribution(images: Images) -> None:
    finding = decide(images.app(*distribution(images, code=b"import that\n")))
    assert finding.verdict is Verdict.FAIL
    assert [evidence.path for evidence in finding.evidence] == [f"/{SITE}/shop/__init__.py"]
    assert finding.evidence[0].text == "other bytes than the package my_shop brought"


def test_a_changed_program_beside_the_distribution_is_told(images: Images) -> None:
    members = [*distribution(images)[:-1], images.file("usr/local/bin/shop", b"#!/bin/sh")]
    assert [evidence.path for evidence in decide(images.app(*members)).evidence] == ["/usr/local/bin/shop"]


def test_a_file_that_pip_put_over_a_debian_package_s_is_as_one_of_them_brought_it(images: Images) -> None:
    md5 = hashlib.md5(b"of debian", usedforsecurity=False).hexdigest()
    debian = [
        images.file("var/lib/dpkg/status.d/python3-shop", b"Package: python3-shop\n"),
        images.file("var/lib/dpkg/status.d/python3-shop.md5sums", f"{md5}  {SITE}/shop/__init__.py\n".encode()),
    ]
    assert decide(images.app(*debian, *distribution(images))).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "row", [f"shop/a.py,{told(b'1', 'sha512')},1", "shop/a.py,sha256=AAAA,1", "shop/a.py,sha256=é,1"]
)
def test_another_kind_of_sum_leaves_it_open(images: Images, row: str) -> None:
    finding = decide(images.app(images.file(f"{SITE}/shop/a.py", b"1"), *distribution(images, row)))
    assert (finding.verdict, finding.evidence[0].text) == (Verdict.UNKNOWN, f"not compared: /{SITE}/shop/a.py")


def test_a_record_that_is_no_table_or_was_not_read_leaves_it_open(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/{SITE}/my_shop-1.2.dist-info/RECORD"
    finding = decide(images.app(*distribution(images, "x" * 200_000 + ",,")))
    assert (finding.verdict, finding.evidence[0].text) == (Verdict.UNKNOWN, f"not compared: {path}")
    monkeypatch.setattr(kept, "LARGEST", 100)
    finding = decide(images.app(*distribution(images)))
    assert (finding.verdict, finding.evidence[0].text) == (Verdict.UNKNOWN, f"not compared: {path}")
