"""Forms in which images come as files: a folder, and a tar that can be sought in; `passing` has the stream.

Names are not trusted: a blob is told by its content, and known by the digest of its bytes. Nothing is ever unpacked
to disk, and no name of an archive becomes a path outside of it.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Protocol

from stageproof.errors import ImageError
from stageproof.image.limits import Limits
from stageproof.image.shelf import PIECE, Blob, Shelf, seal
from stageproof.image.store import Digests
from stageproof.image.stream import Stream
from stageproof.image.tar import HARD_LINK, LINK, REGULAR, Member, Tar

_SCAN = 1 << 14
_MOST_LINKS = 8
_OBJECT = b"{"
_PATH_IN_LAYOUT = re.compile(r"(index\.json|manifest\.json|(blobs/sha256/)?[0-9a-f]{64}(\.json|/layer\.tar)?)")


class Archive(Protocol):
    """What the contents of any form are asked for, by path."""

    def document(self, path: str) -> bytes | None:
        """Give a small file; None if it is not there."""

    def layer(self, path: str, diff_id: str) -> tuple[Digests, int] | None:
        """See to it that a layer is at hand; give its digests, and its size as it stands there. None: not there."""

    def documents_at(self, folder: str, largest: int) -> Iterable[str]:
        """Give the paths of the files right in a folder that begin as a JSON object and have at most so many bytes."""


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

    def documents_at(self, folder: str, largest: int) -> Iterator[str]:
        """Give the paths of the files right in a folder that begin as a JSON object."""
        try:
            names = sorted(os.listdir(self.path / folder))  # noqa: PTH208 -- names, not paths
        except OSError:
            return
        for path in (f"{folder}/{name}" for name in names[: self.shelf.limits.members]):
            with contextlib.suppress(ImageError):  # what is no file is no document
                opened = self._open(path)
                if opened is None:
                    continue
                with opened as file:
                    fits = os.fstat(file.fileno()).st_size <= largest and file.read(1) == _OBJECT
                if fits:
                    yield path

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

        tar = Tar(Stream(chunks, self.what, leap=leap, until=self.shelf.until), outer_limits(self.shelf))
        for member in tar:
            path = listed(member, self.links, self.seen, self.what)
            if member.type == REGULAR:
                self.places[path] = _Place(tar.stream.position, member.size)

    def document(self, path: str) -> bytes | None:
        """Give a small file; None if it is not there."""
        place = self.places.get(followed(path, self.links))
        if place is None:
            return None
        self.file.seek(place.offset)
        return _small(self.file.read(min(place.size, self.shelf.limits.document + 1)), path, self.shelf)

    def documents_at(self, folder: str, largest: int) -> Iterator[str]:
        """Give the paths of the files right in a folder that begin as a JSON object."""
        for path, place in self.places.items():
            if posixpath.dirname(path) == folder and place.size <= largest:
                self.file.seek(place.offset)
                if self.file.read(1) == _OBJECT:
                    yield path

    def layer(self, path: str, diff_id: str) -> tuple[Digests, int] | None:
        """See to it that a layer is at hand; give its digests and its size."""
        place = self.places.get(followed(path, self.links))
        if place is None:
            return None
        about = os.fstat(self.file.fileno())
        what = f"the layer {path} of {self.what}"

        def pieces() -> Iterator[bytes]:
            self.file.seek(place.offset)
            return _read_on(self.file, place.size, what)

        blob = Blob(what, place.size, pieces, seal(about, place.offset, place.size))
        return self.shelf.settle(blob, diff_id), place.size


def outer_limits(shelf: Shelf) -> Limits:
    """Give the limits of the archive itself."""
    return replace(shelf.limits, entries=shelf.limits.members)


def listed(member: Member, links: dict[str, str], seen: set[str], what: str) -> str:
    """Note a member, and give its path. Raises ImageError where it stands there twice."""
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


def followed(path: str, links: dict[str, str]) -> str:
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


def _cut_off(what: str, missing: int) -> ImageError:
    failed = f"{what} is cut off"
    return ImageError(failed, seen=f"it ends {missing} bytes too early", why="what is missing cannot be checked")


def _unreadable(what: str, error: OSError) -> ImageError:
    failed = f"{what} cannot be read"
    return ImageError(failed, seen=str(error), why="nothing is known about what cannot be read")


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
