"""The three forms in which images come as files: a folder, a tar that can be sought in, a stream that passes once.

Names are not trusted: a blob is told by its content, and known by the digest of its bytes. Nothing is ever unpacked
to disk, and no name of an archive becomes a path outside of it.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Protocol

from stageproof.errors import ImageError
from stageproof.image import packing
from stageproof.image.aside import ahead
from stageproof.image.limits import Limits
from stageproof.image.shelf import PIECE, Blob, Shelf, seal
from stageproof.image.store import Digests
from stageproof.image.stream import Stream
from stageproof.image.tar import BLOCK, HARD_LINK, LINK, REGULAR, Member, Tar

_SCAN = 1 << 14
_MOST_LINKS = 8
_PATH_IN_LAYOUT = re.compile(r"(index\.json|manifest\.json|(blobs/sha256/)?[0-9a-f]{64}(\.json|/layer\.tar)?)")
_NAMED = re.compile(r"(?:^|/)([0-9a-f]{64})$")


class Archive(Protocol):
    """What the contents of any form are asked for, by path."""

    def document(self, path: str) -> bytes | None:
        """Give a small file; None if it is not there."""

    def layer(self, path: str, diff_id: str) -> tuple[Digests, int] | None:
        """See to it that a layer is at hand; give its digests, and its size as it stands there. None: not there."""


@dataclass(frozen=True)
class Folder:
    """An OCI layout, or an unpacked docker archive: only the blobs that are needed are read."""

    path: Path
    shelf: Shelf

    def document(self, path: str) -> bytes | None:
        """Give a small file; None if it is not there."""
        opened = self._open(path)
        if opened is None:
            return None
        with opened as file:
            return _small(file.read(self.shelf.limits.document + 1), path, self.shelf)

    def layer(self, path: str, diff_id: str) -> tuple[Digests, int] | None:
        """See to it that a layer is at hand; give its digests and its size."""
        opened = self._open(path)
        if opened is None:
            return None
        with opened as file:
            about = os.fstat(file.fileno())
            what = f"the layer {path} of {self.path}"
            blob = Blob(what, about.st_size, lambda: _read_on(file, about.st_size, what), seal(about))
            return self.shelf.settle(blob, diff_id), about.st_size

    def _open(self, path: str) -> BinaryIO | None:
        if not _PATH_IN_LAYOUT.fullmatch(path):
            return None
        try:
            # Without O_NONBLOCK a named pipe would wait for a writer for ever.
            file = os.fdopen(os.open(self.path / path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(str(self.path), error) from error
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            failed = f"{self.path} cannot be read"
            raise ImageError(failed, seen=f"{path} is no file", why="a blob is a file of bytes")
        return file


@dataclass(frozen=True)
class _Place:
    """Where a member's bytes stand in the file."""

    offset: int
    size: int


@dataclass
class File:
    """A tar on disk, not packed: its headers are read once, and of its data only what is needed."""

    file: BinaryIO
    what: str
    shelf: Shelf
    places: dict[str, _Place] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    """Path -> the path that it stands for."""
    seen: set[str] = field(default_factory=set)

    def scan(self) -> None:
        """Read the headers. Raises ImageError on a broken archive."""
        size = os.fstat(self.file.fileno()).st_size
        self.file.seek(0)
        chunks = iter(lambda: self.file.read(_SCAN), b"")

        def leap(count: int) -> None:
            here = self.file.tell()
            if here + count > size:
                raise _cut_off(self.what, here + count - size)
            self.file.seek(count, os.SEEK_CUR)

        tar = Tar(Stream(chunks, self.what, leap=leap, until=self.shelf.until), _outer(self.shelf))
        for member in tar:
            path = _listed(member, self.links, self.seen, self.what)
            if member.type == REGULAR:
                self.places[path] = _Place(tar.stream.position, member.size)

    def document(self, path: str) -> bytes | None:
        """Give a small file; None if it is not there."""
        place = self.places.get(_followed(path, self.links))
        if place is None:
            return None
        self.file.seek(place.offset)
        return _small(self.file.read(min(place.size, self.shelf.limits.document + 1)), path, self.shelf)

    def layer(self, path: str, diff_id: str) -> tuple[Digests, int] | None:
        """See to it that a layer is at hand; give its digests and its size."""
        place = self.places.get(_followed(path, self.links))
        if place is None:
            return None
        about = os.fstat(self.file.fileno())
        what = f"the layer {path} of {self.what}"

        def pieces() -> Iterator[bytes]:
            self.file.seek(place.offset)
            return _read_on(self.file, place.size, what)

        blob = Blob(what, place.size, pieces, seal(about, place.offset, place.size))
        return self.shelf.settle(blob, diff_id), place.size


@dataclass
class Passed:
    """An archive that passed by once: every layer was taken in, every document kept."""

    documents: dict[str, bytes] = field(default_factory=dict)
    layers: dict[str, tuple[Digests, int]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def document(self, path: str) -> bytes | None:
        """Give a small file; None if it was not there."""
        return self.documents.get(_followed(path, self.links))

    def layer(self, path: str, diff_id: str) -> tuple[Digests, int] | None:
        """Give a layer's digests and its size; None if it was not there."""
        del diff_id  # what it should be was not known when it passed
        return self.layers.get(_followed(path, self.links))


def passing(pieces: Iterable[bytes], what: str, shelf: Shelf, *, trusted: bool = False) -> Passed:
    """Read an archive once, from front to back. Raises ImageError.

    An engine is `trusted` to name blobs by their digest: what it names and is remembered is passed over unread.
    """
    coming = ahead(pieces)
    try:
        return _passed(Stream(coming, what, until=shelf.until), what, shelf, trusted=trusted)
    finally:
        coming.close()


def _passed(outer: Stream, what: str, shelf: Shelf, *, trusted: bool) -> Passed:
    head = outer.peek(BLOCK)
    tar = Tar(Stream(packing.unpacked(head, outer.rest(), what, shelf.limits), what, until=shelf.until), _outer(shelf))
    passed = Passed()
    documents = 0
    seen: set[str] = set()
    for member in tar:
        path = _listed(member, passed.links, seen, what)
        if member.type != REGULAR:
            continue
        data = Stream(tar.data(), f"the layer {path} of {what}", until=shelf.until)
        head = data.peek(BLOCK)
        if packing.is_packed(head) or _is_tar(head):
            passed.layers[path] = (_taken(path, data, shelf, trusted=trusted), member.size)
        elif head.lstrip()[:1] in {b"{", b"["} and member.size <= shelf.limits.document:
            documents += member.size
            if documents > shelf.limits.documents:
                raise _too_many(what, shelf)
            passed.documents[path] = data.take(member.size)
        for _ in data.rest():
            pass
    return passed


def _taken(path: str, data: Stream, shelf: Shelf, *, trusted: bool) -> Digests:
    match = _NAMED.search(path)
    name = f"sha256:{match[1]}" if match else ""
    known = shelf.named(name) if name else None
    if known and trusted:
        return known
    # The name only saves work: the bytes are hashed all the same.
    return shelf.prove(data.rest(), data.what) if known else shelf.take(data.rest(), data.what, name)


def _outer(shelf: Shelf) -> Limits:
    return replace(shelf.limits, entries=shelf.limits.members)


def _listed(member: Member, links: dict[str, str], seen: set[str], what: str) -> str:
    path = posixpath.normpath(member.path)
    if member.type not in {REGULAR, LINK, HARD_LINK}:
        return path
    if path in seen:
        failed = f"{what} cannot be read"
        raise ImageError(
            failed, seen=f"{path!r} stands twice in it", why="every tool would take another one of the two"
        )
    seen.add(path)
    if member.type == LINK:
        links[path] = posixpath.normpath(posixpath.join(posixpath.dirname(path), member.link))
    elif member.type == HARD_LINK:
        links[path] = posixpath.normpath(member.link)
    return path


def _followed(path: str, links: dict[str, str]) -> str:
    """Docker of old wrote a layer that two images share once, and a link to it for the other."""
    path = posixpath.normpath(path)
    for _ in range(_MOST_LINKS):
        if path not in links:
            break
        path = links[path]
    return path


def _read_on(file: BinaryIO, size: int, what: str) -> Iterator[bytes]:
    left = size
    while left:
        piece = file.read(min(PIECE, left))
        if not piece:
            raise _cut_off(what, left)
        left -= len(piece)
        yield piece


def _small(data: bytes, path: str, shelf: Shelf) -> bytes:
    if len(data) > shelf.limits.document:
        failed = f"the document {path} cannot be read"
        raise ImageError(
            failed, seen=f"it has more than {shelf.limits.document} bytes", why="no config of an image is that large"
        )
    return data


def _too_many(what: str, shelf: Shelf) -> ImageError:
    failed = f"{what} cannot be read"
    seen = f"its JSON documents have more than {shelf.limits.documents} bytes together"
    return ImageError(failed, seen=seen, why="they have to be kept until the last one is read")


def _cut_off(what: str, missing: int) -> ImageError:
    failed = f"{what} is cut off"
    return ImageError(failed, seen=f"it ends {missing} bytes too early", why="what is missing cannot be checked")


def _unreadable(what: str, error: OSError) -> ImageError:
    failed = f"{what} cannot be read"
    return ImageError(failed, seen=str(error), why="nothing is known about what cannot be read")


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar" or (len(head) == BLOCK and not head.strip(b"\0"))


def open_file(path: Path) -> BinaryIO:
    """Open an archive on disk. Raises ImageError if it is not there or no file."""
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except OSError as error:
        raise _unreadable(str(path), error) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        failed = f"{path} cannot be read"
        raise ImageError(failed, seen="it is neither a file nor a folder", why="an archive is a file of bytes")
    return file
