"""Unpacking of gzip and zstd, with an end: no more bytes out than the limits allow, and never many at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

import zstandard
from zlib_ng import zlib_ng

from stageproof.errors import ImageError
from stageproof.image.limits import Limits

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"
_OUT = 1 << 20
_BITE = 1 << 10
"""Bytes given to zstd at once: four of them can become 128 KiB (RFC 8878, 3.1.1.2, RLE blocks)."""
_LARGEST_WINDOW = 1 << 27
"""What the `zstd` tool itself takes without being told to take more (`--ultra`, its manual)."""
_GZIP_FORMAT = 31
_GZIP_ERROR = cast("type[Exception]", zlib_ng.error)  # its types call the class an instance


def is_packed(head: bytes) -> bool:
    """Whether these first bytes are those of gzip or zstd."""
    return head.startswith((_GZIP, _ZSTD)) or (head[1:4] == _SKIPPABLE and head[0] >> 4 == 5)  # noqa: PLR2004 -- 0x5?


def unpacked(head: bytes, pieces: Iterable[bytes], what: str, limits: Limits) -> Iterator[bytes]:
    """Give the bytes unpacked, or as they are if they are not packed. Raises ImageError on damage and on a bomb."""
    count = _Count()
    coming = count.passing(pieces)
    if not is_packed(head):
        made: Iterator[bytes] = coming
    elif head.startswith(_GZIP):
        made = _gunzip(coming, what)
    else:
        made = _unzstd(coming, what)
    out = 0
    for piece in made:
        out += len(piece)
        if out > limits.layer:
            raise _bomb(what, f"it unpacks to more than {limits.layer} bytes")
        if out > limits.ratio_from and out > limits.ratio * count.bytes:
            raise _bomb(what, f"{count.bytes} bytes of it unpack to more than {limits.ratio} times as many")
        if piece:
            yield piece


class _Count:
    """How many bytes went in."""

    def __init__(self) -> None:
        self.bytes = 0

    def passing(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.bytes += len(piece)
            yield piece


def _gunzip(pieces: Iterable[bytes], what: str) -> Iterator[bytes]:
    unpacker = zlib_ng.decompressobj(_GZIP_FORMAT)
    begun = False
    try:
        for piece in pieces:
            waiting = piece
            while waiting:
                begun = True
                yield unpacker.decompress(waiting, _OUT)
                waiting = unpacker.unconsumed_tail
                if unpacker.eof:  # a gzip file may have several parts
                    waiting, unpacker, begun = unpacker.unused_data, zlib_ng.decompressobj(_GZIP_FORMAT), False
        while begun and (last := unpacker.decompress(unpacker.unconsumed_tail, _OUT)):
            yield last
    except _GZIP_ERROR as error:
        raise _damaged(what, str(error)) from error
    if begun and not unpacker.eof:
        raise _damaged(what, "it ends in the middle of its gzip data")


def _unzstd(pieces: Iterable[bytes], what: str) -> Iterator[bytes]:
    context = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    unpacker = context.decompressobj()
    begun = False
    try:
        for piece in pieces:
            for at in range(0, len(piece), _BITE):
                waiting = piece[at : at + _BITE]
                while waiting:
                    begun = True
                    yield unpacker.decompress(waiting)
                    waiting = b""
                    if unpacker.eof:  # the next frame
                        waiting, unpacker, begun = unpacker.unused_data, context.decompressobj(), False
    except zstandard.ZstdError as error:
        raise _damaged(what, str(error)) from error
    if begun:
        raise _damaged(what, "it ends in the middle of its zstd data")


def _damaged(what: str, seen: str) -> ImageError:
    failed = f"{what} cannot be unpacked"
    return ImageError(failed, seen=seen, why="what is missing cannot be checked", do="make or pull the image again")


def _bomb(what: str, seen: str) -> ImageError:
    failed = f"{what} cannot be read"
    return ImageError(failed, seen=seen, why="it would fill any disk", do="make the image again, if it is your own")
