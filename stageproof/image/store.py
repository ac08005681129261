"""Layers, configs and findings remembered on disk, so that no layer is read twice.

One file per layer, named by its diff id, and one per layer and set of needles. Files are written beside and moved into
place: several processes may share a folder, and half a file is never read. A file that cannot be read counts as absent.
What was not used for longest is removed when all of it grows beyond a limit.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import zstandard
from msgspec import Struct, structs

from stageproof.errors import DiskFullError, ImageError
from stageproof.image.needles import Needles
from stageproof.image.tree import Entry, Layer

FORMAT = 7
"""Raised whenever an index of before would say something else than one of now."""
LARGEST = 2_000_000_000
"""Bytes that all remembered files may have together; removing goes on to nine tenths of it."""
_STALE = 3600
"""Seconds after which a file that was begun and never moved into place belongs to a process that died."""
_USED = 3600
"""Seconds for which a file counts as used just now: its time is not renewed at each use."""
_LARGEST_INDEX = 1 << 30
_UNREADABLE = (OSError, ValueError, TypeError, msgspec.MsgspecError, zstandard.ZstdError)


@dataclass(frozen=True)
class Digests:
    """What the bytes of a layer come to: as they stand in the archive, and unpacked."""

    blob: str
    diff_id: str


class _Index(Struct, frozen=True, array_like=True, gc=False):
    """A layer as it is written. MessagePack's texts are UTF-8, so other names stand beside, as bytes."""

    diff_id: str
    entries: list[Entry]
    odd: list[tuple[int, bytes, bytes]]
    """(number of the entry, path, link)"""
    removed: list[bytes]
    emptied: list[bytes]
    disk: int
    pull: int
    remarks: list[bytes]


_INDEX = msgspec.msgpack.Decoder(_Index)
_FOUND = msgspec.msgpack.Decoder(list[tuple[bytes, tuple[str, ...]]])
_DIGESTS = msgspec.msgpack.Decoder(tuple[str, str])


class Store:
    """The folder of remembered layers, configs and findings."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        self._above = folder
        self._folder = folder / f"images-{FORMAT}"
        self._largest = largest
        self._is_written = False

    def layer(self, diff_id: str, needles: Needles) -> Layer | None:
        """Give a remembered layer; None where its index, or the search for these needles, is missing."""
        found = self._found(diff_id, needles)
        plain = self.index(diff_id) if found is not None else None
        return None if plain is None or found is None else replace(plain, found=found)

    def index(self, diff_id: str) -> Layer | None:
        """Give a remembered layer without what was searched for."""
        data = self._read(self._index_path(diff_id))
        try:
            index = _INDEX.decode(data)
            return _layer(index) if index.diff_id == diff_id else None
        except _UNREADABLE:
            return None

    def remember(self, layer: Layer, needles: Needles) -> Layer:
        """Write a layer, and what was found in it; give it with the size to pull that it had before, if it was known.

        One layer may come packed in several ways, and the first size is kept: two runs give the same answer.
        """
        before = self.index(layer.diff_id)
        if before is None or (layer.pull and not before.pull):
            self._write(self._index_path(layer.diff_id), msgspec.msgpack.encode(_index(layer)))
        found = [(os.fsencode(path), labels) for path, labels in layer.found.items()]
        self._write(self._needles_path(layer.diff_id, needles), msgspec.msgpack.encode(found))
        return layer if before is None else replace(layer, pull=before.pull or layer.pull)

    def pull(self, diff_id: str) -> int:
        """Give the size to pull of a remembered layer; 0 where it is not known."""
        index = self.index(diff_id)
        return index.pull if index is not None else 0

    def digests(self, key: str) -> Digests | None:
        """Give the digests of a blob, by a key that stands for its bytes."""
        try:
            return Digests(*_DIGESTS.decode(self._read(self._path("digests", key))))
        except _UNREADABLE:
            return None

    def remember_digests(self, key: str, found: Digests) -> None:
        """Write the digests of a blob."""
        self._write(self._path("digests", key), msgspec.msgpack.encode((found.blob, found.diff_id)))

    def config(self, key: str) -> object:
        """Give the config JSON of an image; None if it is not remembered."""
        try:
            return json.loads(self._read(self._config_path(key)))
        except _UNREADABLE:
            return None

    def remember_config(self, key: str, document: object) -> None:
        """Write the config JSON of an image."""
        self._write(self._config_path(key), json.dumps(document).encode())

    def findings(self, key: str) -> bytes:
        """Give what was decided about an image, as it was written; nothing if it is not remembered."""
        return self._read(self._path("findings", key))

    def remember_findings(self, key: str, data: bytes) -> None:
        """Write what was decided about an image."""
        self._write(self._path("findings", key), data)

    def shrink(self) -> None:
        """Remove what was not used for longest, if this run wrote something and all of it is beyond the limit."""
        if not self._is_written:
            return
        self._is_written = False
        files = sorted(self._files(), reverse=True)
        total = sum(size for _, size, _ in files)
        if total <= self._largest:
            return
        while files and total > self._largest * 0.9:
            _, size, path = files.pop()
            path.unlink(missing_ok=True)
            total -= size

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Give (time of last use, bytes, path) of every file, of older formats too; what the dead begun is removed."""
        now = time.time()
        for path in self._above.glob("images-*/*/*"):
            with contextlib.suppress(OSError):  # another process may remove it first
                about = path.stat()
                if not path.name.startswith(".new-"):
                    yield about.st_mtime, about.st_size, path
                elif now - about.st_mtime > _STALE:
                    path.unlink()

    def _found(self, diff_id: str, needles: Needles) -> dict[str, tuple[str, ...]] | None:
        data = self._read(self._needles_path(diff_id, needles))
        try:
            return {os.fsdecode(path): labels for path, labels in _FOUND.decode(data)}
        except _UNREADABLE:
            return None

    def _index_path(self, diff_id: str) -> Path:
        return self._path("layers", _name(diff_id))

    def _needles_path(self, diff_id: str, needles: Needles) -> Path:
        return self._path("needles", f"{_name(diff_id)}.{needles.digest}")

    def _config_path(self, key: str) -> Path:
        return self._path("configs", hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest())

    def _path(self, kind: str, name: str) -> Path:
        return self._folder / kind / name

    def _read(self, path: Path) -> bytes:
        try:
            data = path.read_bytes()
            unpacked = zstandard.ZstdDecompressor().decompress(data, max_output_size=_LARGEST_INDEX)
            if time.time() - path.stat().st_mtime > _USED:
                os.utime(path)
        except _UNREADABLE:
            return b""
        return unpacked

    def _write(self, path: Path, data: bytes) -> None:
        self._is_written = True
        packed = zstandard.ZstdCompressor(level=1, write_checksum=True).compress(data)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(packed)
                Path(beside).replace(path)
            except BaseException:
                Path(beside).unlink(missing_ok=True)
                raise
        except OSError as error:
            kind = DiskFullError if error.errno in {errno.ENOSPC, errno.EDQUOT} else ImageError
            failed = "the index of a layer cannot be written"
            raise kind(failed, seen=str(error), why="without it every run reads all layers again") from error


def _name(digest: str) -> str:
    name = digest.removeprefix("sha256:")
    if not name.isalnum() or not name.isascii():
        failed = "the name of a layer is no digest"
        raise ImageError(failed, seen=repr(digest[:100]), why="it would name a file")
    return name


def _index(layer: Layer) -> _Index:
    entries = list(layer.entries.values())
    odd = []
    for number, entry in enumerate(entries):
        if not _is_utf8(entry.path + entry.link):
            odd.append((number, os.fsencode(entry.path), os.fsencode(entry.link)))
            entries[number] = structs.replace(entry, path="", link="")
    return _Index(
        layer.diff_id,
        entries,
        odd,
        [os.fsencode(path) for path in layer.removed],
        [os.fsencode(path) for path in layer.emptied],
        layer.disk,
        layer.pull,
        [os.fsencode(remark) for remark in layer.remarks],
    )


def _layer(index: _Index) -> Layer:
    entries = index.entries
    for number, path, link in index.odd:
        entries[number] = structs.replace(entries[number], path=os.fsdecode(path), link=os.fsdecode(link))
    return Layer(
        index.diff_id,
        {entry.path: entry for entry in entries},
        tuple(os.fsdecode(path) for path in index.removed),
        tuple(os.fsdecode(path) for path in index.emptied),
        index.disk,
        index.pull,
        tuple(os.fsdecode(remark) for remark in index.remarks),
        {},
    )


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
