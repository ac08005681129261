"""One pass over a layer: every entry with its facts, the digest, the size to pull."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NoReturn

from msgspec import structs

from stageproof.errors import ImageError
from stageproof.image import content
from stageproof.image.aside import Aside
from stageproof.image.content import Content, Search
from stageproof.image.gzip_size import GzipSize
from stageproof.image.limits import LIMITS, Limits
from stageproof.image.needles import Needles
from stageproof.image.stream import NO_END, Stream
from stageproof.image.tar import Member, Tar
from stageproof.image.tree import MAX_LINKS, NO_FACTS, Entry, Facts, Kind, Layer

_OPAQUE, _WHITE_OUT = ".wh..wh..opq", ".wh."
_NO_NAMES = frozenset({"", ".", ".."})
_LARGE = 1 << 17
"""Files from this size on are looked at in a thread of their own: most of that work releases Python's lock."""
_MOST_WAITING = 1 << 26
_UNSETTLED: Content = ("looked at aside", "", "", NO_FACTS)
_KINDS = {
    b"0": Kind.FILE,
    b"1": Kind.HARD_LINK,
    b"2": Kind.LINK,
    b"3": Kind.CHARACTER_DEVICE,
    b"4": Kind.BLOCK_DEVICE,
    b"5": Kind.FOLDER,
    b"6": Kind.PIPE,
}
_DEVICES = frozenset({Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE})


def read(  # noqa: PLR0913 -- what a reading needs, each with its default
    pieces: Iterable[bytes],
    needles: Needles,
    *,
    weigh: bool = True,
    limits: Limits = LIMITS,
    what: str = "a layer",
    until: float = NO_END,
) -> Layer:
    """Index the unpacked tar of a layer; without `weigh` the size to pull stays 0. Raise ImageError on a bad one."""
    digest = hashlib.sha256()
    hashing = Aside(digest.update)
    gzip = GzipSize() if weigh else None
    reading = _Reading(Search(needles), limits, what)
    try:
        tar = Tar(Stream(_passing(pieces, hashing, gzip), what, until=until), limits)
        for member in tar:
            reading.add(tar, member)
        for _ in tar.stream.rest():
            pass
        reading.settle()
    finally:
        reading.worker.shutdown(cancel_futures=True)
        hashing.finish()
        pull = gzip.finish() if gzip else 0
    if tar.hidden:
        reading.remark("bytes follow the end of the archive; no reader shows them")
    return Layer(
        diff_id=f"sha256:{digest.hexdigest()}",
        entries=reading.entries,
        removed=tuple(reading.removed),
        emptied=tuple(reading.emptied),
        disk=sum(_on_disk(entry) for entry in reading.entries.values()),
        pull=pull,
        remarks=reading.remarks(),
        found=dict(sorted(reading.search.found.items())),
    )


def _on_disk(entry: Entry) -> int:
    return len(os.fsencode(entry.link)) if entry.kind is Kind.LINK else entry.size


def _passing(pieces: Iterable[bytes], hashing: Aside, gzip: GzipSize | None) -> Iterator[bytes]:
    for piece in pieces:
        hashing.add(piece)
        if gzip:
            gzip.add(piece)
        yield piece


@dataclass(slots=True)
class _Reading:
    """What a pass has found so far."""

    search: Search
    limits: Limits
    what: str
    entries: dict[str, Entry] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    kept: int = 0
    folders: dict[str, str] = field(default_factory=lambda: {"": ""})
    """Folder as a name says it -> where it is, links of this layer followed. Holds every folder that has content."""
    followed: set[str] = field(default_factory=set)
    """Links of this layer through which the place of an entry led."""
    worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    looking: list[tuple[str, Future[Content]]] = field(default_factory=list)
    """Large files that are being looked at, in the order in which they came."""
    waiting: int = 0
    """Their bytes."""
    said: list[str] = field(default_factory=list)
    unsaid: int = 0

    def add(self, tar: Tar, member: Member) -> None:
        """Take in one entry."""
        written = member.path
        head, _, name = written.rpartition("/")
        folder = self.folders.get(head)
        if folder is None or name in _NO_NAMES or not written.isascii():
            folder, name = self.place(written)
        if name[:4] == _WHITE_OUT or not name:
            self.white_out(folder, name)
            return
        path = f"{folder}/{name}"
        kind = _KINDS[member.type]
        link = member.link
        sha256, md5, sha1, facts = "", "", "", NO_FACTS
        if kind is not Kind.FOLDER:
            if path in self.folders:
                self.refuse(f"{path} first as a folder with content, and then as a {kind}")
            if kind is Kind.HARD_LINK:
                link = "/".join(self.place(link))
            elif kind is Kind.FILE:
                sha256, md5, sha1, facts = self.look(tar, path, member.size)
        if path in self.entries or kind in _DEVICES or member.two_sizes is not None:
            self.judge(path, kind, member)
        if self.search.has_needles:
            self.search.names(path, link)
        self.kept += len(path) + len(link)
        if facts is not NO_FACTS or member.attributes or self.kept > self.limits.kept:
            self.keep(member.attributes, facts)
        self.entries[path] = Entry(
            path,
            kind,
            member.mode,
            member.uid,
            member.gid,
            member.size,
            member.mtime,
            link,
            sha256,
            member.attributes,
            facts,
            md5,
            sha1,
        )

    def look(self, tar: Tar, path: str, size: int) -> Content:
        """Look at the content of a file: here, or of a large one aside, so that reading goes on meanwhile."""
        if size > content.HELD:
            return content.in_windows(path, tar.data(), self.search)
        data = tar.whole()
        if size < _LARGE:
            return content.whole(path, data, self.search)
        if self.waiting + size > _MOST_WAITING:
            self.settle()
        self.waiting += size
        self.looking.append((path, self.worker.submit(content.whole, path, data, self.search)))
        return _UNSETTLED

    def settle(self) -> None:
        """Put in what was found aside; of a path that came again, the last one counts."""
        for path, found in dict(self.looking).items():
            sha256, md5, sha1, facts = found.result()
            entry = self.entries.get(path)
            if entry is not None and entry.sha256 is _UNSETTLED[0]:
                self.entries[path] = structs.replace(entry, sha256=sha256, facts=facts, md5=md5, sha1=sha1)
                self.keep((), facts)
        self.looking, self.waiting = [], 0

    def place(self, written: str) -> tuple[str, str]:
        """Give folder and name of an entry, links of this layer followed in the folder; no name: the root."""
        if not written.isascii():
            self.judge_name(written)
        head, _, name = written.rpartition("/")
        folder = self.folders.get(head)
        if folder is None or name in _NO_NAMES:
            folder, _, name = self.normal(written).rpartition("/")
            folder = self.follow(folder)
            if not written.endswith("/"):
                self.folders[head] = folder
        return folder, name

    def normal(self, name: str) -> str:
        parts: list[str] = []
        for part in name.split("/"):
            if part == "..":
                self.remark(f"the name {name!r} leaves its folder")
                parts = parts[:-1]
            elif part not in {"", "."}:
                parts.append(part)
        return "".join(f"/{part}" for part in parts)

    def follow(self, folder: str) -> str:
        """Follow a folder through links that this layer brought before, as one who unpacks it would."""
        todo = [part for part in reversed(folder.split("/")) if part]
        here, links = "", 0
        while todo:
            part = todo.pop()
            if part == "..":
                here = here.rpartition("/")[0]
                continue
            there = f"{here}/{part}"
            entry = self.entries.get(there)
            if entry is None or entry.is_folder:
                here = there
                if here not in self.folders:
                    self.folders[here] = here
                    self.kept += len(here)
                continue
            links += 1
            if entry.kind is not Kind.LINK or links > MAX_LINKS:
                self.refuse(f"an entry below {there}, which is a {entry.kind}")
            self.followed.add(there)
            self.remark(f"an entry stands below {there}, which is a link")
            todo += [step for step in reversed(entry.link.split("/")) if step not in {"", "."}]
            here = "" if entry.link.startswith("/") else here
        return here

    def judge(self, path: str, kind: Kind, member: Member) -> None:
        """Remark what is odd about an entry."""
        before = self.entries.get(path)
        if before is not None and not (kind is Kind.FOLDER and before.is_folder):
            self.remark(f"{path} stands twice in the archive")
        if path in self.followed:
            self.refuse(f"{path} first as a link to a folder with content, and then as a {kind}")
        if kind in _DEVICES:
            self.remark(f"{path} is a {kind}")
        if member.two_sizes is not None:
            self.remark(f"{path} has two sizes, {member.size} and {member.two_sizes}")

    def judge_name(self, name: str) -> None:
        if any("\udc80" <= letter <= "\udcff" for letter in name):
            self.remark(f"the name {name!r} is no UTF-8")

    def white_out(self, folder: str, name: str) -> None:
        """Take in what is no entry: a white-out, or the root itself, which has no name."""
        if not name:
            return
        if name == _OPAQUE:
            self.emptied.append(folder or "/")
            return
        if name.startswith(_WHITE_OUT * 2):
            return  # notes of the aufs driver for itself
        target = name.removeprefix(_WHITE_OUT)
        if target in {"", ".", ".."}:
            self.refuse(f"a white-out of {target!r} in {folder or '/'}")
        self.removed.append(f"{folder}/{target}")

    def keep(self, attributes: tuple[tuple[str, bytes], ...], facts: Facts) -> None:
        """Count what the index holds in memory beside names."""
        self.kept += sum(len(name) + len(value) for name, value in attributes)
        self.kept += len(facts.content or b"") + sum(len(name) for name in facts.members)
        self.kept += sum(len(name) + len(version) for _, name, version in facts.packages)
        if self.kept > self.limits.kept:
            self.refuse(f"names and package data of more than {self.limits.kept} bytes")

    def remark(self, text: str) -> None:
        if len(self.said) < self.limits.remarks:
            self.said.append(text)
        else:
            self.unsaid += 1

    def remarks(self) -> tuple[str, ...]:
        """Give the remarks, with a last one for those that were only counted."""
        more = [f"and {self.unsaid} remarks more"] if self.unsaid else []
        return tuple(dict.fromkeys(self.said + more))

    def refuse(self, seen: str) -> NoReturn:
        failed = f"{self.what} cannot be read"
        why = "engines would unpack it in different ways, or not at all"
        raise ImageError(failed, seen=f"it holds {seen}", why=why, do="make the image again")
