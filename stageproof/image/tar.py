"""A bounded tar reader: names and bytes, nothing is ever written to disk.

Layers come from strangers, and Python's `tarfile` runs for ever on a negative size (CVE-2025-8194) and recurses on
chained long names. Formats: POSIX ustar and pax (IEEE 1003.1, `pax`, "Extended Description"), GNU long names and
base-256 numbers (GNU tar manual, "Basic Tar Format"). Sparse files are refused: the OCI image specification forbids
them in layers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from msgspec import Struct
from zlib_ng import zlib_ng

from stageproof.errors import ImageError
from stageproof.image.limits import LIMITS, Limits
from stageproof.image.stream import Stream

BLOCK = 512
_MOST_DIGITS = 20
_END = b"\0" * BLOCK
REGULAR, HARD_LINK, LINK, _CHARACTER, _BLOCK_DEVICE, _FOLDER, _PIPE = b"0", b"1", b"2", b"3", b"4", b"5", b"6"
_OLD_REGULARS = frozenset({b"\0", b"7"})
"""The oldest format's type of a file, and that of a file stored in one piece."""
_TYPES = frozenset({REGULAR, HARD_LINK, LINK, _CHARACTER, _BLOCK_DEVICE, _FOLDER, _PIPE})
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"
_LONG = {_LONG_NAME: "path", _LONG_LINK: "linkpath"}
_EXTENSIONS = frozenset({_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK})
_XATTR, _SPARSE = "SCHILY.xattr.", "GNU.sparse."
_GLOBAL_HARMFUL = frozenset({"path", "linkpath", "size", "uid", "gid"})
# name, mode, uid, gid, size, mtime, checksum, type, link, magic; the rest is the prefix and what nobody asks for
_HEADER = struct.Struct("100s8s8s8s12s12s8sc100s6s82x155s12x")
_NO_VALUES: Mapping[str, bytes] = {}
_USTAR = b"ustar\0"
_MOST_KNOWN = 1 << 16


class Member(Struct, gc=False):
    """One entry as the archive has it, names not yet made normal."""

    path: str
    type: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    link: str
    attributes: tuple[tuple[str, bytes], ...] = ()
    """Extended attributes, name and value."""
    two_sizes: int | None = None
    """The other size that the entry gives for itself, where its two headers disagree."""


@dataclass(slots=True)
class _Extension:
    """What extended headers say about the entry after them."""

    values: dict[str, bytes] = field(default_factory=dict)
    count: int = 0
    size: int = 0


class Tar:
    """The members of one archive. The data of a member is read before the next is asked for, or skipped."""

    def __init__(self, stream: Stream, limits: Limits = LIMITS) -> None:
        self.stream = stream
        self.limits = limits
        self.hidden = False
        """After the last member: whether bytes other than zero follow the end mark."""
        self._left = 0
        self._padding = 0
        self._numbers: dict[bytes, int] = {}
        self._sums: dict[bytes, int] = {}

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
        size, padding = self._left, self._padding
        self._left = self._padding = 0
        return self.stream.take_padded(size, padding)

    def _next(self) -> Member | None:
        if self._left or self._padding:
            self.stream.skip(self._left + self._padding)
            self._left = self._padding = 0
        block = self.stream.take_or_end(BLOCK)
        if block[156:157] not in _EXTENSIONS:
            if block and block != _END:
                return self._member(block, _NO_VALUES)
            self.hidden = _has_data(self.stream)
            return None
        extension = _Extension()
        while (kind := block[156:157]) in _EXTENSIONS:
            checksum = block[148:156]
            if not block.isascii() or zlib_ng.adler32(block) & 0xFFFF != self._sums.get(checksum):  # see _check
                self._check(block, checksum)
            self._extend(extension, kind, block)
            block = self.stream.take(BLOCK)
        if block == _END:
            self._refuse("an extended header that no entry follows")
        return self._member(block, extension.values)

    def _extend(self, extension: _Extension, kind: bytes, block: bytes) -> None:
        size = self._numbers.get(block[124:136], -1)
        if size < 0:
            size = self._number(block[124:136])
        extension.count += 1
        extension.size += size
        if extension.count > self.limits.chain or size < 0 or extension.size > self.limits.extension:
            self._refuse(f"{extension.count} extended headers in a row, {extension.size} bytes together")
        data = self.stream.take(size)
        self.stream.skip(-size % BLOCK)
        if kind == _PAX_GLOBAL:
            self._judge_global(self._records(data))
            return
        said = {_LONG[kind]: data.rstrip(b"\0")} if kind in _LONG else self._records(data)
        if not extension.values:
            extension.values = said
            return
        for name, value in said.items():
            if extension.values.setdefault(name, value) != value:
                self._refuse(f"an entry whose headers give it two values of {name}")

    def _judge_global(self, records: Mapping[str, bytes]) -> None:
        """Some readers apply a global header to every entry after it, and some to none."""
        harmful = [name for name in records if name in _GLOBAL_HARMFUL or name.startswith(_SPARSE)]
        if harmful:
            self._refuse(f"a global header that sets {', '.join(sorted(harmful))}")

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

    def _member(self, block: bytes, values: Mapping[str, bytes]) -> Member:
        name, mode, uid, gid, size, mtime, checksum, kind, link, magic, prefix = _HEADER.unpack(block)
        if not block.isascii() or zlib_ng.adler32(block) & 0xFFFF != self._sums.get(checksum):  # see _check
            self._check(block, checksum)
        if kind in _OLD_REGULARS:
            kind = REGULAR
        if kind not in _TYPES:
            self._refuse("a sparse file" if kind == b"S" else f"an entry of the unknown type {kind!r}")
        name = name.split(b"\0", 1)[0]
        if prefix[0] and magic == _USTAR:
            name = prefix.split(b"\0", 1)[0] + b"/" + name
        numbers = self._numbers
        try:  # most of them stood in a header before
            mode, uid, gid, size, mtime = numbers[mode], numbers[uid], numbers[gid], numbers[size], numbers[mtime]
        except KeyError:
            mode, uid, gid, size, mtime = map(self._number, (mode, uid, gid, size, mtime))
        member = Member(
            str(name, "utf-8", "surrogateescape"),
            kind,
            mode & 0o7777,
            uid,
            gid,
            size,
            mtime,
            str(link.split(b"\0", 1)[0], "utf-8", "surrogateescape") if link[0] else "",
        )
        if values:
            self._apply(member, values)
        if not 0 <= member.size <= self.limits.size:
            self._refuse(f"a size of {member.size} bytes")
        if kind != REGULAR:
            member.size = 0
        self._left = member.size
        self._padding = -member.size % BLOCK
        if kind == REGULAR and member.path.endswith("/"):
            member.type, member.size = _FOLDER, 0  # the oldest format has no type for folders
        return member

    def _apply(self, member: Member, values: Mapping[str, bytes]) -> None:
        """Let extended headers have the last word."""
        for name in values:
            if name.startswith(_SPARSE):
                self._refuse("a sparse file")
            if name.startswith(_XATTR) and not member.attributes:
                member.attributes = self._attributes(values)
        if "path" in values:
            member.path = self._name(values["path"])
        if "linkpath" in values:
            member.link = self._name(values["linkpath"])
        if "uid" in values:
            member.uid = self._decimal(values["uid"])
        if "gid" in values:
            member.gid = self._decimal(values["gid"])
        if "mtime" in values:
            sign = -1 if values["mtime"].startswith(b"-") else 1
            member.mtime = sign * self._decimal(values["mtime"].removeprefix(b"-"))
        if "size" in values:
            before, member.size = member.size, self._decimal(values["size"])
            member.two_sizes = before if before not in {0, member.size} else None

    def _attributes(self, values: Mapping[str, bytes]) -> tuple[tuple[str, bytes], ...]:
        found = tuple(sorted((key.removeprefix(_XATTR), values[key]) for key in values if key.startswith(_XATTR)))
        size = sum(len(name) + len(value) for name, value in found)
        if size > self.limits.attributes:
            self._refuse(f"an entry with {size} bytes of extended attributes")
        return found

    def _check(self, block: bytes, checksum: bytes) -> None:
        """Compare the checksum: the sum of all bytes, those of the checksum itself counted as blanks.

        Where no byte is above 127, the low half of Adler-32 is that sum plus 1, exactly (RFC 1950: modulo 65521). So a
        checksum that was right once is compared ten times as fast from then on.
        """
        wanted = self._number(checksum) + sum(checksum) - 8 * ord(" ")
        if sum(block) != wanted:
            self._refuse("a header with a wrong checksum")
        self._sums[checksum] = wanted + 1

    def _name(self, data: bytes) -> str:
        if len(data) > self.limits.path or data.count(b"/") > self.limits.depth or b"\0" in data:
            self._refuse(f"a name of {len(data)} bytes, {data.count(b'/')} folders deep, or with a zero byte")
        longest = max(map(len, data.split(b"/")))
        if longest > self.limits.name:
            self._refuse(f"a name with a part of {longest} bytes")
        return str(data, "utf-8", "surrogateescape")

    def _number(self, data: bytes) -> int:
        """Read a number; the same few stand in most headers, so they are remembered."""
        if len(self._numbers) > _MOST_KNOWN:
            self._numbers.clear()
            self._sums.clear()
        if data[0] & 0x80:
            return int.from_bytes(bytes([data[0] & 0x7F]) + data[1:], "big") - ((data[0] & 0x40) << (8 * len(data) - 7))
        digits = data.split(b"\0", 1)[0].strip()
        if digits and (not digits.isdigit() or b"8" in digits or b"9" in digits):
            self._refuse(f"a number that is none: {digits!r}")
        number = int(digits, 8) if digits else 0
        self._numbers[data] = number
        return number

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
