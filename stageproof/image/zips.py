"""A look into zip files (jars, wheels): names and contents of members, in bounded time."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

MAGIC = b"PK\x03\x04"
_MOST_MEMBERS = 100_000
_LARGEST_MEMBER = 16 << 20
_LARGEST_SUM = 512 << 20
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OverflowError,
)


def members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Give name and content of each member; a member that is damaged, encrypted or too large is given empty."""
    return some(data, lambda _: True)


def some(data: bytes, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Give name and content of the members that are wanted, as `members` does."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _DAMAGED:
        return
    left = _LARGEST_SUM
    for info in archive.infolist()[:_MOST_MEMBERS]:
        if not wanted(info.filename):
            continue
        content = b""
        if info.file_size <= min(left, _LARGEST_MEMBER) and not info.is_dir():
            content = _read(archive, info)
            left -= len(content)
        yield info.filename, content


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as file:
            return file.read(_LARGEST_MEMBER)
    except _DAMAGED:
        return b""
