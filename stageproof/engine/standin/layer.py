"""Layers of an image: entries, written as a tar file that is the same each time."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One path of a layer, without a leading slash; all times are the epoch, as in distroless."""

    path: str
    kind: bytes
    mode: int
    uid: int = 0
    gid: int = 0
    content: bytes = b""
    target: str = ""

    @classmethod
    def file(cls, path: str, content: bytes, mode: int = 0o644) -> Entry:
        """Make a file of root."""
        return cls(path, tarfile.REGTYPE, mode, content=content)

    @classmethod
    def directory(cls, path: str, mode: int = 0o755, owner: int = 0) -> Entry:
        """Make a folder."""
        return cls(path, tarfile.DIRTYPE, mode, owner, owner)

    @classmethod
    def link(cls, path: str, target: str) -> Entry:
        """Make a symbolic link."""
        return cls(path, tarfile.SYMTYPE, 0o777, target=target)

    @classmethod
    def of(cls, member: tarfile.TarInfo, tar: tarfile.TarFile) -> Entry:
        """Read a member of an archive that a package manager has checked."""
        stream = tar.extractfile(member) if member.isreg() else None
        content = stream.read() if stream else b""
        path = _plain(member.name)
        target = _plain(member.linkname) if member.islnk() else member.linkname
        return cls(path, member.type, member.mode, member.uid, member.gid, content, target)


@dataclass(frozen=True)
class Layer:
    """A layer's tar file, its digest, and what it is for."""

    digest: str
    file: Path
    note: str


def write_layer(entries: Iterable[Entry], folder: Path, note: str) -> Layer:
    """Write a layer below `folder`, under its own digest."""
    buffer = io.BytesIO()
    written: set[str] = set()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for entry in entries:
            # The folders above a file may be named by several parts of a layer; a tar file names each once.
            if entry.path not in written:
                tar.addfile(_member(entry), io.BytesIO(entry.content))
                written.add(entry.path)
    content = buffer.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    file = folder / f"{digest}.tar"
    file.write_bytes(content)
    return Layer(digest, file, note)


def folders(path: str) -> Iterator[Entry]:
    """Give a folder and all above it, as folders of root."""
    parts = path.split("/")
    for depth in range(1, len(parts) + 1):
        yield Entry.directory("/".join(parts[:depth]))


def _member(entry: Entry) -> tarfile.TarInfo:
    member = tarfile.TarInfo(f"./{entry.path}")
    member.type = entry.kind
    member.mode = entry.mode
    member.uid, member.gid = entry.uid, entry.gid
    member.size = len(entry.content)
    member.linkname = f"./{entry.target}" if entry.kind == tarfile.LNKTYPE else entry.target
    return member


def _plain(name: str) -> str:
    return name.removeprefix("./").removeprefix(".").strip("/")
