"""The modules that a Go program is made of, as its linker wrote them into it.

Format: Go's package debug/buildinfo, from Go 1.18 on: 32 bytes of header, then the toolchain's version and the module
list, each with its length before it. Programs of older Go point to the two texts instead, and are not read.
"""

from __future__ import annotations

from collections.abc import Iterator

MAGIC = b"\xff Go buildinf:"
_FLAGS, _HEADER, _ALIGNED = 15, 32, 16
_INLINE = 2
_GUARD = 16
"""Bytes before and after the module list, by which it is found in memory."""
_MOST_TRIES, _MOST_MODULES, _LONGEST = 16, 5000, 4 << 20
_LONGEST_FIELD = 512
_VARINT_BITS = 35


def modules(data: bytes) -> tuple[tuple[str, str], ...]:
    """Give (path, version) of every module in a Go program, the standard library as `stdlib`; empty: none is told."""
    at = -1
    for _ in range(_MOST_TRIES):
        at = data.find(MAGIC, at + 1)
        if at < 0:
            break
        if at % _ALIGNED == 0 and at + _HEADER < len(data) and data[at + _FLAGS] & _INLINE:
            version, after = _text(data, at + _HEADER)
            if version.startswith(b"go"):
                listed, _ = _text(data, after)
                return tuple(_modules(version, listed[_GUARD:-_GUARD]))
    return ()


def _modules(version: bytes, listed: bytes) -> Iterator[tuple[str, str]]:
    yield "stdlib", version.split()[0].removeprefix(b"go").decode("ascii", "replace")
    last: tuple[str, str] | None = None
    for line in listed.split(b"\n", _MOST_MODULES)[:_MOST_MODULES]:
        kind, *fields = [field[:_LONGEST_FIELD].decode("utf-8", "replace") for field in line.split(b"\t")]
        if kind in {"mod", "dep", "=>"} and len(fields) >= 2:  # noqa: PLR2004 -- path and version
            if last is not None and kind != "=>":  # what is replaced is not in the program
                yield last
            last = fields[0], fields[1]
    if last is not None:
        yield last


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    """Read a length, in groups of seven bits, the lowest first, and so many bytes; give also where they end."""
    size = shift = 0
    while at < len(data) and shift < _VARINT_BITS:
        byte = data[at]
        size |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 -- the high bit: more follow
            return (data[at : at + size], at + size) if size <= _LONGEST else (b"", at)
    return b"", at
