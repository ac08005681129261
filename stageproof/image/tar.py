"""A bounded tar reader: names and bytes, nothing is ever written to disk.

Layers come from strangers, and Python's `tarfile` runs for ever on a negative size (CVE-2025-8194) and recurses on
chained long names. Formats: POSIX ustar and pax (IEEE 1003.1, `pax`, "Extended Description"), GNU long names and
base-256 numbers (GNU tar manual, "Basic Tar Format"). Sparse files are refused: the OCI image specification forbids
them in layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from stageproof.errors import ImageError
from stageproof.image.stream import Stream

BLOCK = 512
_MOST_DIGITS = 20
_END = b"\0" * BLOCK
_REGULAR, _HARD_LINK, _LINK, _CHARACTER, _BLOCK_DEVICE, _FOLDER, _PIPE = b"0", b"1", b"2", b"3", b"4", b"5", b"6"
_TYPES = frozenset({_REGULAR, _HARD_LINK, _LINK, _CHARACTER, _BLOCK_DEVICE, _FOLDER, _PIPE})
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"
_XATTR = "SCHILY.xattr."


@dataclass(frozen=True)
class Limits:
    """How far the reader goes before it calls an archive hostile."""

    entries: int = 2_000_000
    path: int = 4096
    depth: int = 256
    extension: int = 1 << 20
    """Bytes of one extended header."""
    chain: int = 8
    """Extended headers before one entry."""
    size: int = 1 << 40
    """Bytes of one file."""


LIMITS = Limits()


@dataclass(slots=True)
class Member:
    """One entry as the archive has it, names not yet made normal."""

    path: str
    type: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    link: str
    xattrs: tuple[str, ...] = ()
    two_sizes: int | None = None
    """The other size that the entry gives for itself, where its two headers disagree."""


@dataclass(slots=True)
class _Extension:
    """What extended headers say about the entry after them."""

    values: dict[str, bytes] = field(default_factory=dict)
    count: int = 0


class Tar:
    """The members of one archive. The data of a member is read before the next is asked for, or skipped."""

    def __init__(self, stream: Stream, limits: Limits = LIMITS) -> None:
        self.stream = stream
        self.limits = limits
        self.hidden = False
        """After the last member: whether bytes other than zero follow the end mark."""
        self._left = 0
        self._padding = 0

    def __iter__(self) -> Iterator[Member]:
        """Give every member in order; raise ImageError on an archive that is broken or goes beyond the limits."""
        for _ in range(self.limits.entries):
            member = self._next()
            if member is None:
                return
            yield member
        self._refuse(f"more than {self.limits.entries} entries")

    def data(self) -> Iterator[bytes]:
        """Give the data of the member at hand, piece by piece."""
        left, self._left = self._left, 0
        yield from self.stream.pieces(left)

    def whole(self) -> bytes:
        """Give the data of the member at hand at once."""
        left, self._left = self._left, 0
        return self.stream.take(left)

    def _next(self) -> Member | None:
        self._skip()
        extension = _Extension()
        while True:
            block = self.stream.peek(BLOCK)
            if not block and not extension.count:
                return None
            block = self.stream.take(BLOCK)
            if block == _END:
                if extension.count:
                    self._refuse("an extended header that no entry follows")
                self.hidden = _has_data(self.stream)
                return None
            kind = block[156:157]
            if kind in {_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK}:
                self._check(block)
                self._extend(extension, kind, block)
                continue
            return self._member(block, extension)

    def _skip(self) -> None:
        for _ in self.stream.pieces(self._left + self._padding):
            pass
        self._left = self._padding = 0

    def _extend(self, extension: _Extension, kind: bytes, block: bytes) -> None:
        extension.count += 1
        size = self._number(block[124:136])
        if extension.count > self.limits.chain or not 0 <= size <= self.limits.extension:
            self._refuse(f"{extension.count} extended headers in a row, {size} bytes the last")
        data = self.stream.take(size)
        self.stream.take(-size % BLOCK)
        if kind == _LONG_NAME:
            extension.values["path"] = data.rstrip(b"\0")
        elif kind == _LONG_LINK:
            extension.values["linkpath"] = data.rstrip(b"\0")
        elif kind == _PAX:
            extension.values.update(self._records(data))

    def _records(self, data: bytes) -> dict[str, bytes]:
        records: dict[str, bytes] = {}
        at = 0
        while at < len(data):
            blank = data.find(b" ", at, at + 12)
            digits = data[at:blank] if blank > 0 else b""
            end = at + int(digits) if digits.isdigit() else 0
            record = data[blank + 1 : end]
            name, equals, value = record.partition(b"=")
            if end <= blank or end > len(data) or not equals or not value.endswith(b"\n"):
                self._refuse("a malformed pax record")
            records[name.decode("utf-8", "surrogateescape")] = value[:-1]
            at = end
        return records

    def _member(self, block: bytes, extension: _Extension) -> Member:
        self._check(block)
        values = extension.values
        kind = _REGULAR if block[156:157] in {b"\0", b"7"} else block[156:157]
        if kind == b"S" or any(name.startswith("GNU.sparse.") for name in values):
            self._refuse("a sparse file")
        if kind not in _TYPES:
            self._refuse(f"an entry of the unknown type {kind!r}")
        in_header = self._number(block[124:136])
        size = self._decimal(values["size"]) if "size" in values else in_header
        if not 0 <= size <= self.limits.size:
            self._refuse(f"a size of {size} bytes")
        self._left = size if kind == _REGULAR else 0
        self._padding = -size % BLOCK if kind == _REGULAR else 0
        path = self._name(values["path"]) if "path" in values else self._short_name(block)
        if kind == _REGULAR and path.endswith("/"):
            kind = _FOLDER  # the oldest format has no type for folders
        return Member(
            path=path,
            type=kind,
            mode=self._number(block[100:108]) & 0o7777,
            uid=self._decimal(values["uid"]) if "uid" in values else self._number(block[108:116]),
            gid=self._decimal(values["gid"]) if "gid" in values else self._number(block[116:124]),
            size=size if kind == _REGULAR else 0,
            mtime=self._number(block[136:148]),
            link=self._name(values["linkpath"] if "linkpath" in values else block[157:257].split(b"\0", 1)[0]),
            xattrs=tuple(sorted(name.removeprefix(_XATTR) for name in values if name.startswith(_XATTR))),
            two_sizes=in_header if in_header not in {0, size} else None,
        )

    def _check(self, block: bytes) -> None:
        if self._number(block[148:156]) != sum(block[:148]) + 256 + sum(block[156:]):
            self._refuse("a header with a wrong checksum")

    def _short_name(self, block: bytes) -> str:
        name = block[:100].split(b"\0", 1)[0]
        prefix = block[345:500].split(b"\0", 1)[0] if block[257:263] == b"ustar\0" else b""
        return self._name(prefix + b"/" + name if prefix else name)

    def _name(self, data: bytes) -> str:
        if len(data) > self.limits.path or data.count(b"/") > self.limits.depth or b"\0" in data:
            self._refuse(f"a name of {len(data)} bytes, {data.count(b'/')} folders deep, or with a zero byte")
        return data.decode("utf-8", "surrogateescape")

    def _number(self, data: bytes) -> int:
        if data[0] & 0x80:
            return int.from_bytes(bytes([data[0] & 0x7F]) + data[1:], "big") - ((data[0] & 0x40) << (8 * len(data) - 7))
        digits = data.split(b"\0", 1)[0].strip()
        if not digits:
            return 0
        if not digits.isdigit() or b"8" in digits or b"9" in digits:
            self._refuse(f"a number that is none: {digits!r}")
        return int(digits, 8)

    def _decimal(self, data: bytes) -> int:
        digits = data.split(b".", 1)[0]
        if not digits.isdigit() or len(digits) > _MOST_DIGITS:
            self._refuse(f"a number that is none: {data[:40]!r}")
        return int(digits)

    def _refuse(self, seen: str) -> NoReturn:
        failed = f"{self.stream.what} cannot be read"
        why = "a reader that guesses here can be led astray"
        raise ImageError(failed, seen=f"it holds {seen}", why=why, do="make the image again")


def _has_data(stream: Stream) -> bool:
    found = False
    for piece in stream.rest():
        found = found or piece.count(0) != len(piece)
    return found
