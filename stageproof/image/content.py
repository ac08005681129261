"""What the content of a file says: digests, facts, needles. Found once, while its layer passes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from stageproof.image import elf, go_modules, jars, kept, programs, secrets, zips
from stageproof.image.needles import Needles
from stageproof.image.patterns import Patterns
from stageproof.image.tree import NO_FACTS, Facts

HELD = 1 << 28
"""Files up to this size are looked at whole; larger ones in windows, so that memory stays bounded."""
_WINDOW = 1 << 24
_HEAD = 1 << 20
_TELLING = frozenset({elf.MAGIC[:2], zips.MAGIC[:2], b"#!"})
_ENDINGS = kept.ENDINGS + secrets.NAMES
_SHA256 = hashlib.sha256()
"""To be copied: that is faster than to begin anew."""
_MOST_MEMBERS, _LONGEST_MEMBER = 500, 1024


Content = tuple[str, str, str, Facts]
"""What there is to know about a file's content: SHA-256, MD5 and SHA-1 (see `Entry.md5`), facts."""


@dataclass(frozen=True)
class _Finders:
    """What is looked for, by the kind of file."""

    names: Patterns
    small: Patterns
    small_program: Patterns
    large: Patterns
    large_program: Patterns


@lru_cache(maxsize=8)
def _finders(needles: Needles) -> _Finders:
    forms = [form for _, form in needles.forms]
    return _Finders(
        names=Patterns(forms),
        small=Patterns([*forms, *secrets.STARTS]),
        small_program=Patterns([*forms, *secrets.STARTS, *programs.MARKERS, go_modules.MAGIC]),
        large=Patterns(forms),
        large_program=Patterns([*forms, *programs.MARKERS, go_modules.MAGIC]),
    )


class Search:
    """The needles, where they were found, and everything else that is looked for in the same pass."""

    def __init__(self, needles: Needles) -> None:
        self.found: dict[str, tuple[str, ...]] = {}
        self.has_needles = bool(needles.forms)
        self.finders = _finders(needles)
        self.small = self.finders.small
        self._forms = needles.forms

    def names(self, path: str, link: str) -> None:
        """Look for the needles in the names of an entry."""
        self.note(path, self.finders.names.within(f"{path}\n{link}".encode("utf-8", "surrogateescape")))

    def look(self, path: str, data: bytes, *, is_program: bool) -> AbstractSet[bytes]:
        """Give what stands in a file's data, and note the needles."""
        present = self.patterns(len(data), is_program=is_program).within(data)
        if present:
            self.note(path, present)
        return present

    def patterns(self, size: int, *, is_program: bool) -> Patterns:
        """Give what is looked for in a file of that size."""
        if size <= secrets.LARGEST:
            return self.finders.small_program if is_program else self.finders.small
        return self.finders.large_program if is_program else self.finders.large

    def note(self, path: str, present: AbstractSet[bytes]) -> None:
        """Note the needles among what was found."""
        for label, form in self._forms:
            before = self.found.get(path, ())
            if form in present and label not in before:
                self.found[path] = (*before, label)


def whole(path: str, data: bytes, search: Search) -> Content:
    """Look at a file that is in memory."""
    md5 = sha1 = ""
    if kept.is_packaged(path):
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    # Nearly every file is one that says nothing, and a hundred thousand of them are read in a second.
    is_dull = data[:2] not in _TELLING and not path.endswith(_ENDINGS) and not path.startswith(kept.BEGINNINGS)
    if is_dull and len(data) <= secrets.LARGEST and not search.small.within(data):
        facts = NO_FACTS
    else:
        facts = _facts(path, data, search)
    digest = _SHA256.copy()
    digest.update(data)
    return digest.hexdigest(), md5, sha1, facts


def in_windows(path: str, pieces: Iterator[bytes], search: Search) -> Content:
    """Look at a large file: it may be a program, it may hold needles; nothing else of it is kept."""
    digest = hashlib.sha256()
    md5, sha1 = hashlib.md5(usedforsecurity=False), hashlib.sha1(usedforsecurity=False)
    overlap = max(len(pattern) for pattern in search.finders.large_program.patterns)
    head, window = b"", b""
    present: set[bytes] = set()
    for piece in pieces:
        digest.update(piece)
        md5.update(piece)
        sha1.update(piece)
        head = head if len(head) >= _HEAD else head + piece[: _HEAD - len(head)]
        window += piece
        if len(window) > _WINDOW:
            present |= search.finders.large_program.within(window)
            window = window[-overlap:]
    present |= search.finders.large_program.within(window)
    search.note(path, present)
    header = elf.parse(head, is_head=True) if head.startswith(elf.MAGIC) else None
    interpreter = _interpreter(head)
    facts = Facts(header, interpreter, programs.recognise(header, present) if header else "")
    of_packages = (md5.hexdigest(), sha1.hexdigest()) if kept.is_packaged(path) else ("", "")
    return (digest.hexdigest(), *of_packages, facts if header or interpreter else NO_FACTS)


def _facts(path: str, data: bytes, search: Search) -> Facts:
    header = elf.parse(data) if data.startswith(elf.MAGIC) else None
    present = search.look(path, data, is_program=header is not None)
    kinds = secrets.in_file(path, data, present)
    content = kept.keep(path, data)
    interpreter = _interpreter(data)
    program = programs.recognise(header, present) if header else ""
    members: tuple[str, ...] = ()
    packages: tuple[tuple[str, str, str], ...] = ()
    if data.startswith(zips.MAGIC):
        members, inside, packages = _members(path, data, search)
        kinds += tuple(kind for kind in inside if kind not in kinds)
    if header and go_modules.MAGIC in present:
        packages = tuple(("go", name, version) for name, version in go_modules.modules(data))
    if header or interpreter or program or kinds or members or packages or content is not None:
        return Facts(header, interpreter, program, kinds, members, content, packages)
    return NO_FACTS


def _interpreter(data: bytes) -> str:
    return data[2:256].split(b"\n", 1)[0].strip().decode("utf-8", "replace") if data.startswith(b"#!") else ""


def _members(
    path: str, data: bytes, search: Search
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, str, str], ...]]:
    """Look into a zip: members that tell something, kinds of secrets, packages."""
    members: list[str] = []
    kinds: dict[str, None] = {}
    jar = jars.Jar(path.rpartition("/")[2]) if path.endswith(jars.ENDINGS) else None
    for name, inside in zips.members(data):
        present = search.look(path, inside, is_program=False)
        kinds.update(dict.fromkeys(secrets.in_file("/" + name, inside, present)))
        if len(members) < _MOST_MEMBERS and len(name) <= _LONGEST_MEMBER and kept.is_telling(name):
            members.append(name)
        if jar is not None:
            jar.add(name, inside)
    found = jar.packages() if jar is not None else ()
    return tuple(members), tuple(kinds), tuple(("java", name, version) for name, version in found)
