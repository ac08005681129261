"""What a file's content says is found once, when its layer is read."""

from __future__ import annotations

import base64
import io
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stageproof.image import Entry, Needles, elf, programs

if TYPE_CHECKING:
    from tests.unit.conftest import Images


def only(images: Images, path: str, data: bytes, needles: Needles | None = None) -> Entry:
    entry = images.image([images.file(path, data, 0o755)], needles=needles or Needles()).find("/" + path)
    assert entry
    return entry


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return out.getvalue()


def test_an_elf_file_tells_its_loader_its_libraries_and_where_it_looks(images: Images) -> None:
    data = images.elf(
        "/lib64/ld-linux-x86-64.so.2",
        ["libc.so.6", "libz.so.1"],
        soname="me.so",
        rpath="/a:/b",
        runpath="$ORIGIN/../lib",
        needs={"libc.so.6": ["GLIBC_2.34", "GLIBC_2.38"], "libz.so.1": ["ZLIB_1.2"]},
        has=["ME_1", "ME_2"],
    )
    found = elf.parse(data)
    assert found
    assert (found.bits, found.machine, found.kind) == (64, 62, 3)
    assert (found.interpreter, found.needed) == ("/lib64/ld-linux-x86-64.so.2", ("libc.so.6", "libz.so.1"))
    assert (found.soname, found.rpath, found.runpath) == ("me.so", ("/a", "/b"), ("$ORIGIN/../lib",))
    assert found.needs_versions == (
        ("libc.so.6", "GLIBC_2.34"),
        ("libc.so.6", "GLIBC_2.38"),
        ("libz.so.1", "ZLIB_1.2"),
    )
    assert found.has_versions == ("ME_1", "ME_2")


def test_no_prefix_of_an_elf_file_breaks_the_reader(images: Images) -> None:
    data = images.elf("/ld.so", ["a", "b"], needs={"a": ["X"]}, has=["Y"])
    for size in range(len(data)):
        elf.parse(data[:size])
    for at in range(len(data)):
        elf.parse(data[:at] + b"\xff" + data[at + 1 :])


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF" + bytes(100), b"MZ" + bytes(200)])
def test_what_is_no_elf_file_is_none(data: bytes) -> None:
    assert elf.parse(data) is None


def test_the_shell_of_this_machine_is_known_under_any_name(images: Images) -> None:
    shell = shutil.which("bash")
    assert shell
    entry = only(images, "usr/lib/helper.bin", Path(shell).resolve().read_bytes())
    assert entry.facts.program == "bash"
    assert entry.facts.elf


@pytest.mark.parametrize(
    "name", ["sh", "dash", "busybox", "zsh", "ksh", "mksh", "curl", "wget", "apt-get", "dpkg", "vim", "ed"]
)
def test_programs_of_this_machine_are_told_by_content(name: str) -> None:
    where = shutil.which(name)
    if where is None:
        pytest.skip(f"{name} is not on this machine")
    data = Path(where).resolve().read_bytes()
    header = elf.parse(data)
    assert header
    known = programs.SHELLS | programs.DOWNLOADERS | programs.PACKAGE_MANAGERS | programs.EDITORS
    assert programs.recognise(header, data) in known


@pytest.mark.parametrize(
    "name", ["node", "python3", "git", "perl", "gdb", "openssl", "java", "tar", "docker", "ssh", "awk", "less"]
)
def test_programs_that_are_no_shell_are_not_taken_for_one(name: str) -> None:
    where = shutil.which(name)
    data = Path(where).resolve().read_bytes() if where else b""
    header = elf.parse(data)
    if header is None:
        pytest.skip(f"{name} is not on this machine, or no program")
    assert programs.recognise(header, data) == ""


def test_the_words_of_a_shell_in_a_text_make_no_shell(images: Images) -> None:
    assert only(images, "doc.txt", b"BusyBox v1.37 multi-call binary OPTIND getopts").facts.program == ""


def test_the_first_line_of_a_script_is_kept(images: Images) -> None:
    assert only(images, "x", b"#! /usr/bin/env python3 \nimport os\n").facts.interpreter == "/usr/bin/env python3"


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_a_needle_is_found_plain_in_hex_and_at_each_place_of_base64(images: Images, shift: int) -> None:
    canary = "canary-9f2d41c8"
    for data in (
        b"x" * shift + canary.encode(),
        canary.encode().hex().encode(),
        canary.encode().hex().upper().encode(),
        base64.b64encode(b"u" * shift + canary.encode() + b"tail"),
        base64.urlsafe_b64encode(b"?" * shift + canary.encode() + b"???"),
    ):
        image = images.image([images.file("f", b"before " + data + b" after")], needles=Needles.of(canary))
        assert list(image.layers[0].found) == ["/f"], data


def test_a_needle_is_found_in_names_links_and_inside_of_zip_files(images: Images) -> None:
    image = images.image(
        [
            images.file("canary-9f2d41c8.txt"),
            images.link("l", "/x/canary-9f2d41c8"),
            images.file("app.jar", zipped(application_dot_properties=b"key=canary-9f2d41c8" * 100)),
        ],
        needles=Needles.of("canary-9f2d41c8"),
    )
    assert set(image.layers[0].found) == {"/canary-9f2d41c8.txt", "/l", "/app.jar"}


def test_the_digest_of_needles_tells_one_set_from_another() -> None:
    assert Needles.of("a-value").digest == Needles.of("a-value").digest
    assert len({Needles.of("a-value").digest, Needles.of("b-value").digest, Needles.of("a-value", [b"x"]).digest}) == 3


def test_sources_in_a_jar_are_named(images: Images) -> None:
    entry = only(images, "a.jar", zipped(com__Main_dot_java=b"class Main{}", com__Main_dot_class=b"\xca\xfe"))
    assert entry.facts.members == ("com/Main.java",)


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04", b"PK\x03\x04" + bytes(500), zipped(a=b"x" * 999)[:-30]],
    ids=["only its magic", "nothing after its magic", "its end is missing"],
)
def test_a_damaged_zip_is_only_a_file(images: Images, data: bytes) -> None:
    assert only(images, "a.jar", data).facts.members == ()


def test_a_zip_bomb_is_not_unpacked(images: Images) -> None:
    entry = only(images, "a.jar", zipped(a=bytes(64 << 20)), Needles.of("canary-9f2d41c8"))
    assert entry.size < 100_000
