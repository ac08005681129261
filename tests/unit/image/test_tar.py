"""The reader survives whatever calls itself a tar, and gives a right answer or a clear error."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable

import pytest

from stageproof.errors import ImageError
from stageproof.image.limits import Limits
from stageproof.image.stream import Stream
from stageproof.image.tar import Member, Tar
from tests.unit.image.tars import END, extended, header, octal, record


def members(data: bytes, limits: Limits | None = None, piece: int = 700) -> list[Member]:
    pieces = (data[at : at + piece] for at in range(0, len(data), piece))
    return list(Tar(Stream(pieces, "the archive"), limits or Limits()))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("piece", [1, 511, 512, 513, 1 << 20])
def test_every_usual_format_is_read_in_pieces_of_any_size(form: int, piece: int) -> None:
    out = io.BytesIO()
    long = "d" * 90 + "/" + "f" * (60 if form == tarfile.USTAR_FORMAT else 200)
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        info = tarfile.TarInfo(long)
        info.size, info.mode, info.uid, info.gid, info.mtime = 3, 0o4755, 65532, 7, 1_700_000_000
        archive.addfile(info, io.BytesIO(b"abc"))
        info = tarfile.TarInfo("l")
        info.type, info.linkname = tarfile.SYMTYPE, "x" * 99
        archive.addfile(info)
    tar = Tar(Stream((out.getvalue()[at : at + piece] for at in range(0, len(out.getvalue()), piece)), "it"))
    first = next(iter(tar))
    assert (first.path, first.mode, first.uid, first.gid, first.size, first.mtime) == (
        long,
        0o4755,
        65532,
        7,
        3,
        1_700_000_000,
    )
    assert tar.whole() == b"abc"
    second = next(iter(tar))
    assert (second.type, second.link) == (b"2", "x" * 99)
    assert list(tar) == []


def test_data_that_nobody_reads_is_skipped() -> None:
    data = header(b"a", octal(700)) + b"x" * 1024 + header(b"b") + END
    assert [member.path for member in members(data)] == ["a", "b"]


def test_a_name_that_is_no_utf_8_keeps_its_bytes() -> None:
    assert members(header(b"a\xff\xfe") + END)[0].path == "a\udcff\udcfe"


def test_bytes_after_the_end_mark_are_told() -> None:
    tar = Tar(Stream([header() + END + b"hidden" + bytes(506)], "it"))
    assert len(list(tar)) == 1
    assert tar.hidden


def test_zeros_after_the_end_mark_are_no_hidden_data() -> None:
    tar = Tar(Stream([header() + END + bytes(8192)], "it"))
    assert len(list(tar)) == 1
    assert not tar.hidden


def test_an_archive_without_an_end_mark_is_read_to_its_end() -> None:
    assert [member.path for member in members(header(b"a"))] == ["a"]


def test_the_size_of_the_pax_header_wins_and_the_other_is_told() -> None:
    data = extended(b"x", record("size", b"600")) + header(size=octal(512)) + bytes(1024) + header(b"next") + END
    first, second = members(data)
    assert (first.size, first.two_sizes, second.path) == (600, 512, "next")


def test_extended_attributes_are_kept_by_name_and_value() -> None:
    data = extended(b"x", record("SCHILY.xattr.security.capability", b"\1\0")) + header() + END
    assert members(data)[0].attributes == (("security.capability", b"\1\0"),)


HOSTILE = {
    "a negative size": header(size=b"\xff" * 12) + END,
    "a negative size written in digits": header(size=b"-0000001000\0") + END,
    "a size of 2 to the power of 70": header(size=b"\x80\x00\x00" + (2**70).to_bytes(9, "big")) + END,
    "a size with the digit nine": header(size=b"00000000009\0") + END,
    "a wrong checksum": header()[:148] + b"0000000\0" + header()[156:] + END,
    "a sparse file of GNU tar": header(kind=b"S") + END,
    "a sparse file by pax": extended(b"x", record("GNU.sparse.realsize", b"1099511627776")) + header() + END,
    "an unknown type": header(kind=b"V") + END,
    "chained long names": extended(b"L", b"a\0") * 5000 + header() + END,
    "a long name of two megabytes": extended(b"L", b"a" * (2 << 20)) + header() + END,
    "a long name without an entry": extended(b"L", b"a\0") + END,
    "a path longer than the kernel's": extended(b"x", record("path", b"a" * 5000)) + header() + END,
    "a path with 1000 folders": extended(b"x", record("path", b"a/" * 1000)) + header() + END,
    "a zero byte in a name": extended(b"x", record("path", b"a\0b")) + header() + END,
    "a pax record longer than its header": extended(b"x", b"99 path=a\n") + header() + END,
    "a pax record of length zero": extended(b"x", b"0 path=a\n") + header() + END,
    "a pax record without a line end": extended(b"x", b"8 path=a") + header() + END,
    "a pax record without a length": extended(b"x", b"path=a\n") + header() + END,
    "a pax size that is no number": extended(b"x", record("size", b"many")) + header() + END,
    "a header cut off": header()[:300],
    "data cut off": header(size=octal(2000)) + b"x" * 100,
    "text instead of a tar": b"hello world " * 100,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_ends_in_a_clear_error_and_at_once(what: str) -> None:
    begin = time.monotonic()
    with pytest.raises(ImageError, match="the archive") as caught:
        members(HOSTILE[what])
    assert caught.value.seen
    assert time.monotonic() - begin < 5


def test_too_many_entries_are_refused() -> None:
    with pytest.raises(ImageError) as caught:
        members(header() * 11 + END, Limits(entries=10))
    assert "more than 10 entries" in caught.value.seen


def test_a_hundred_thousand_entries_take_seconds() -> None:
    one = header(b"a", octal(5)) + b"12345" + bytes(507)
    begin = time.monotonic()
    assert len(members(one * 100_000 + END, piece=1 << 20)) == 100_000
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize("number", [0, 7, 2**33, 2**40 - 1])
def test_numbers_in_base_256_are_read(number: int) -> None:
    tar = Tar(Stream([header(size=b"\x80" + number.to_bytes(11, "big"))], "it"), Limits())
    read: Callable[[], Member | None] = tar._next
    member = read()
    assert member is not None
    assert member.size == number
