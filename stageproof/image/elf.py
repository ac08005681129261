"""Facts of an ELF file: what the kernel and the loader look at before a program runs.

Field names and numbers: System V ABI, chapters 4 and 5; symbol versions: the LSB's "Symbol Versioning".
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from msgspec import Struct

MAGIC = b"\x7fELF"
MACHINES = {"amd64": 62, "arm64": 183, "386": 3, "arm": 40, "riscv64": 243, "ppc64le": 21, "s390x": 22, "loong64": 258}
"""Go's name of an architecture, as image configs use it -> `e_machine`."""

EXECUTABLE, SHARED = 2, 3
_LOAD, _DYNAMIC, _INTERP = 1, 2, 3
_NEEDED, _STRTAB, _SONAME, _RPATH, _RUNPATH = 1, 5, 14, 15, 29
_VERDEF, _VERDEFNUM, _VERNEED, _VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
_MOST_HEADERS, _MOST_TAGS, _MOST_LIBRARIES, _MOST_VERSIONS, _LONGEST_TEXT = 512, 4096, 256, 1024, 4096
_MOST_TEXT = 1 << 20
_CLASS_32, _CLASS_64, _HEADER_32, _HEADER_64 = 1, 2, 52, 64


class Elf(Struct, frozen=True, array_like=True, gc=False):
    """The header and the dynamic section of an ELF file."""

    bits: int
    machine: int
    """`e_machine`: 62 is x86-64, 183 is AArch64."""
    kind: int
    """`e_type`: 2 executable, 3 shared object or position-independent executable."""
    interpreter: str = ""
    """The loader that the kernel starts (PT_INTERP); empty: static, or a library."""
    needed: tuple[str, ...] = ()
    soname: str = ""
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    needs_versions: tuple[tuple[str, str], ...] = ()
    """(library, version) that the loader must find there: ("libc.so.6", "GLIBC_2.38")."""
    has_versions: tuple[str, ...] = ()
    """Versions that this library defines."""


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int


_T = TypeVar("_T")


def parse(data: bytes, *, is_head: bool = False) -> Elf | None:
    """Read an ELF file; None if it is none, or its header is so broken that the kernel would refuse it.

    The kernel does not look at the dynamic section: where that is broken, it is left out, and the file still a program.
    Of a file too large to be held only the head is given: what stands further back is left out too.
    """
    if len(data) < _HEADER_32 or not data.startswith(MAGIC) or data[4] not in {1, 2} or data[5] not in {1, 2}:
        return None
    try:
        return _parse(data, is_head=is_head)
    except (struct.error, IndexError, OverflowError):
        return None


def _parse(data: bytes, *, is_head: bool) -> Elf:
    order = "<" if data[5] == 1 else ">"
    wide = data[4] == _CLASS_64
    kind, machine = struct.unpack_from(order + "HH", data, 16)
    listed = _segments(data, order, wide=wide)
    segments = _held(listed) if is_head else list(listed)
    interpreter = ""
    tags: dict[int, list[int]] = {}
    for segment in segments:
        if segment.kind == _INTERP:
            interpreter = _text(data, segment.offset, segment.size)
        elif segment.kind == _DYNAMIC:
            tags = _tags(data, order, segment, wide=wide)
    table = _Table(data, order, segments, tags)
    return Elf(
        bits=64 if wide else 32,
        machine=machine,
        kind=kind,
        interpreter=interpreter,
        needed=table.texts(_NEEDED),
        soname="".join(table.texts(_SONAME)[:1]),
        rpath=_folders(table.texts(_RPATH)),
        runpath=_folders(table.texts(_RUNPATH)),
        needs_versions=tuple(_held(table.needs_versions())),
        has_versions=tuple(_held(table.has_versions())),
    )


def _held(found: Iterator[_T]) -> list[_T]:
    """Take what is there, up to the place where the file is broken."""
    held: list[_T] = []
    with contextlib.suppress(struct.error, IndexError, OverflowError):
        held.extend(found)
    return held


def _segments(data: bytes, order: str, *, wide: bool) -> Iterator[_Segment]:
    start = struct.unpack_from(order + ("Q" if wide else "I"), data, 32 if wide else 28)[0]
    each, count = struct.unpack_from(order + "HH", data, 54 if wide else 42)
    for number in range(min(count, _MOST_HEADERS)):
        at = start + number * each
        if wide:
            kind, _, offset, address, _, size = struct.unpack_from(order + "IIQQQQ", data, at)
        else:
            kind, offset, address, _, size = struct.unpack_from(order + "IIIII", data, at)
        yield _Segment(kind, offset, address, size)


def _tags(data: bytes, order: str, segment: _Segment, *, wide: bool) -> dict[int, list[int]]:
    pair = struct.Struct(order + ("QQ" if wide else "II"))
    tags: dict[int, list[int]] = {}
    room = max(0, len(data) - segment.offset)
    for number in range(min(min(segment.size, room) // pair.size, _MOST_TAGS)):
        tag, value = pair.unpack_from(data, segment.offset + number * pair.size)
        if tag == 0:
            break
        tags.setdefault(tag, []).append(value)
    return tags


@dataclass(slots=True)
class _Table:
    """The dynamic section, with addresses turned into offsets of the file."""

    data: bytes
    order: str
    segments: list[_Segment]
    tags: Mapping[int, list[int]]
    given: int = 0
    """Length of all texts given: thousands of tags may point into one long text."""

    def texts(self, tag: int) -> tuple[str, ...]:
        return tuple(self.text(value) for value in self.tags.get(tag, ()))

    def text(self, index: int) -> str:
        strings = self.offset(_STRTAB)
        if strings is None or self.given > _MOST_TEXT:
            return ""
        text = _text(self.data, strings + index, _LONGEST_TEXT)
        self.given += len(text)
        return text

    def offset(self, tag: int) -> int | None:
        for address in self.tags.get(tag, ()):
            for segment in self.segments:
                if segment.kind == _LOAD and segment.address <= address < segment.address + segment.size:
                    return address - segment.address + segment.offset
        return None

    def needs_versions(self) -> Iterator[tuple[str, str]]:
        at, count = self.offset(_VERNEED), self.tags.get(_VERNEEDNUM, [0])[0]
        for _ in range(min(count, _MOST_LIBRARIES)):
            if at is None:
                return
            _, names, library, first, step = struct.unpack_from(self.order + "HHIII", self.data, at)
            inner = at + first
            for _ in range(min(names, _MOST_VERSIONS)):
                _, flags, _, name, further = struct.unpack_from(self.order + "IHHII", self.data, inner)
                if not flags & 2:  # VER_FLG_WEAK: the loader only warns
                    yield self.text(library), self.text(name)
                inner += further
            at += step

    def has_versions(self) -> Iterator[str]:
        at, count = self.offset(_VERDEF), self.tags.get(_VERDEFNUM, [0])[0]
        for _ in range(min(count, _MOST_VERSIONS)):
            if at is None:
                return
            _, flags, _, _, _, first, step = struct.unpack_from(self.order + "HHHHIII", self.data, at)
            if not flags & 1:  # VER_FLG_BASE: the file's own name, no version
                yield self.text(struct.unpack_from(self.order + "I", self.data, at + first)[0])
            at += step


def _text(data: bytes, start: int, longest: int) -> str:
    end = data.find(b"\0", start, start + min(longest, _LONGEST_TEXT))
    return data[start : end if end >= 0 else start].decode("utf-8", "surrogateescape")


def _folders(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(folder for text in texts for folder in text.split(":") if folder)
