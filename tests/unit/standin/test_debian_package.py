"""Debian packages are read as they are, and moved below /usr."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

import pytest

from stageproof.engine.standin.debian_package import merged_usr, read_debian_package
from stageproof.engine.standin.layer import Entry
from stageproof.errors import BaseError

CONTROL = b"Package: hello\nVersion: 1.0-1\nDepends: libc6\n"


def _tar(entries: list[tarfile.TarInfo], contents: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for entry in entries:
            content = contents.get(entry.name, b"")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _ar(members: dict[str, bytes]) -> bytes:
    archive = b"!<arch>\n"
    for name, content in members.items():
        archive += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        archive += content + b"\n" * (len(content) % 2)
    return archive


def _info(name: str, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname = kind, mode, target
    return info


@pytest.fixture
def package(tmp_path: Path) -> Path:
    control = _tar([_info("./control"), _info("./md5sums")], {"./control": CONTROL, "./md5sums": b"00  bin/hello\n"})
    data = _tar(
        [
            _info("./", tarfile.DIRTYPE, 0o755),
            _info("./bin/", tarfile.DIRTYPE, 0o755),
            _info("./bin/hello", mode=0o4755),
            _info("./lib/hello.so", tarfile.SYMTYPE, target="hello.so.1"),
            _info("./sbin/hello", tarfile.LNKTYPE, target="./bin/hello"),
            _info("./etc/hello.conf"),
        ],
        {"./bin/hello": b"odd", "./etc/hello.conf": b"x = 1\n"},
    )
    file = tmp_path / "hello_1.0-1_amd64.deb"
    members = {"debian-binary": b"2.0\n", "control.tar.xz": lzma.compress(control), "data.tar.xz": lzma.compress(data)}
    file.write_bytes(_ar(members))
    return file


def test_a_package_gives_its_name_version_and_files(package: Path) -> None:
    read = read_debian_package(package)

    assert (read.name, read.version) == ("hello", "1.0-1")
    assert [entry.path for entry in read.entries] == [
        "",
        "bin",
        "bin/hello",
        "lib/hello.so",
        "sbin/hello",
        "etc/hello.conf",
    ]
    assert read.file("bin/hello").content == b"odd"
    assert read.file("bin/hello").mode == 0o4755


def test_scanners_find_the_control_file_and_the_sums(package: Path) -> None:
    entries = {entry.path: entry for entry in read_debian_package(package).status_entries()}

    assert entries["var/lib/dpkg/status.d/hello"].content == CONTROL
    assert entries["var/lib/dpkg/status.d/hello.md5sums"].content == b"00  bin/hello\n"
    assert entries["var/lib/dpkg/status.d"].kind == tarfile.DIRTYPE


def test_what_lies_below_bin_sbin_and_lib_moves_to_usr(package: Path) -> None:
    moved = {entry.path: entry for entry in merged_usr(read_debian_package(package).entries)}

    assert list(moved) == ["", "usr/bin/hello", "usr/lib/hello.so", "usr/sbin/hello", "etc/hello.conf"]
    assert moved["usr/lib/hello.so"].target == "hello.so.1", "the target of a symbolic link is left alone"
    assert moved["usr/sbin/hello"].target == "usr/bin/hello", "a hard link follows the file that it names"


def test_names_that_only_begin_like_lib_stay_where_they_are() -> None:
    entries = (Entry.file("library/x", b""), Entry.file("lib64/ld.so", b""), Entry.file("usr/lib/y", b""))

    assert [entry.path for entry in merged_usr(entries)] == ["library/x", "usr/lib64/ld.so", "usr/lib/y"]


def test_a_file_that_is_not_in_the_package_is_an_error_that_names_both(package: Path) -> None:
    with pytest.raises(BaseError, match=r"hello 1\.0-1 holds no /usr/bin/nothing"):
        read_debian_package(package).file("usr/bin/nothing")


def test_what_is_no_package_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "page.deb"
    file.write_bytes(b"<html>proxy error</html>")

    with pytest.raises(BaseError, match=r"page\.deb is no Debian package"):
        read_debian_package(file)


def test_an_unknown_compression_is_an_error_that_lists_the_members(tmp_path: Path) -> None:
    file = tmp_path / "new.deb"
    file.write_bytes(_ar({"debian-binary": b"2.0\n", "control.tar.zst": b"?", "data.tar.zst": b"?"}))

    with pytest.raises(BaseError) as caught:
        read_debian_package(file)

    assert "control.tar.zst" in caught.value.seen
