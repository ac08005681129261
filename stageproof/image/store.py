"""Layers and configs remembered on disk, so that no layer is read twice.

One file per layer, named by its diff id, and one per layer and set of needles. Files are written beside and moved into
place: several processes may share a folder, and half a file is never read. A file that cannot be read counts as absent.
"""

from __future__ import annotations

import base64
import errno
import json
import os
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from stageproof.errors import DiskFullError, ImageError
from stageproof.image.elf import Elf
from stageproof.image.needles import Needles
from stageproof.image.tree import NO_FACTS, Entry, Facts, Kind, Layer

FORMAT = 3
"""Raised whenever an index of before would say something else than one of now."""

_KINDS = tuple(Kind)
_NUMBER = {kind: number for number, kind in enumerate(_KINDS)}
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, zlib.error)


class Store:
    """The folder of remembered layers and configs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / f"images-{FORMAT}"

    def layer(self, diff_id: str, needles: Needles) -> Layer | None:
        """Give a remembered layer; None where its index, or the search for these needles, is missing."""
        plain = self.index(diff_id)
        found = self._read(self._needles_path(diff_id, needles))
        if plain is None or not isinstance(found, dict):
            return None
        hits = {path: tuple(labels) for path, labels in found.items()}
        return Layer(
            plain.diff_id, plain.entries, plain.removed, plain.emptied, plain.disk, plain.pull, plain.remarks, hits
        )

    def index(self, diff_id: str) -> Layer | None:
        """Give a remembered layer without what was searched for."""
        document = self._read(self._index_path(diff_id))
        try:
            return _layer(diff_id, document)
        except _UNREADABLE:
            return None

    def remember(self, layer: Layer, needles: Needles) -> None:
        """Write a layer, and what was found in it."""
        if layer.pull:
            self._write(self._index_path(layer.diff_id), _document(layer))
        self._write(self._needles_path(layer.diff_id, needles), layer.found)

    def config(self, image_id: str) -> object:
        """Give the config JSON of an image id; None if it is not remembered."""
        return self._read(self._folder / "configs" / f"{_name(image_id)}.json")

    def remember_config(self, image_id: str, document: object) -> None:
        """Write the config JSON of an image id."""
        self._write(self._folder / "configs" / f"{_name(image_id)}.json", document)

    def _index_path(self, diff_id: str) -> Path:
        return self._folder / "layers" / f"{_name(diff_id)}.json"

    def _needles_path(self, diff_id: str, needles: Needles) -> Path:
        return self._folder / "layers" / f"{_name(diff_id)}.{needles.digest}.json"

    def _read(self, path: Path) -> Any:  # noqa: ANN401 -- JSON
        try:
            return json.loads(zlib.decompress(path.read_bytes()))
        except _UNREADABLE:
            return None

    def _write(self, path: Path, document: object) -> None:
        data = zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 1)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                Path(beside).replace(path)
            except BaseException:
                Path(beside).unlink(missing_ok=True)
                raise
        except OSError as error:
            kind = DiskFullError if error.errno == errno.ENOSPC else ImageError
            failed = "the index of a layer cannot be written"
            raise kind(failed, seen=str(error), why="without it every run reads all layers again") from error


def _name(digest: str) -> str:
    name = digest.removeprefix("sha256:")
    if not name.isalnum():
        failed = "the name of a layer is no digest"
        raise ImageError(failed, seen=repr(digest[:100]), why="it would name a file")
    return name


def _document(layer: Layer) -> Mapping[str, object]:
    return {
        "entries": [_entry_line(entry) for entry in layer.entries.values()],
        "removed": layer.removed,
        "emptied": layer.emptied,
        "disk": layer.disk,
        "pull": layer.pull,
        "remarks": layer.remarks,
    }


def _layer(diff_id: str, document: Mapping[str, Any]) -> Layer:
    entries = [_entry(line) for line in document["entries"]]
    return Layer(
        diff_id,
        {entry.path: entry for entry in entries},
        tuple(document["removed"]),
        tuple(document["emptied"]),
        document["disk"],
        document["pull"],
        tuple(document["remarks"]),
        {},
    )


def _entry_line(entry: Entry) -> Sequence[object]:
    line = (
        entry.path,
        _NUMBER[entry.kind],
        entry.mode,
        entry.uid,
        entry.gid,
        entry.size,
        entry.mtime,
        entry.link,
        entry.sha256,
    )
    if entry.facts is NO_FACTS and not entry.xattrs:
        return line
    return (*line, entry.xattrs, _facts_line(entry.facts))


def _entry(line: Sequence[Any]) -> Entry:
    path, kind, mode, uid, gid, size, mtime, link, sha256, *more = line
    xattrs, facts = (tuple(more[0]), _facts(more[1])) if more else ((), NO_FACTS)
    return Entry(path, _KINDS[kind], mode, uid, gid, size, mtime, link, sha256, xattrs, facts)


def _facts_line(facts: Facts) -> Sequence[object] | None:
    if facts is NO_FACTS:
        return None
    content = None if facts.content is None else base64.b64encode(facts.content).decode()
    header = None if facts.elf is None else astuple(facts.elf)
    return (header, facts.interpreter, facts.program, facts.secrets, facts.members, content)


def _facts(line: Sequence[Any] | None) -> Facts:
    if line is None:
        return NO_FACTS
    header, interpreter, program, secrets, members, content = line
    return Facts(
        None if header is None else _elf(header),
        interpreter,
        program,
        tuple(secrets),
        tuple(members),
        None if content is None else base64.b64decode(content),
    )


def _elf(line: Sequence[Any]) -> Elf:
    bits, machine, kind, interpreter, needed, soname, rpath, runpath, needs, has = line
    pairs = tuple((library, version) for library, version in needs)
    return Elf(bits, machine, kind, interpreter, tuple(needed), soname, tuple(rpath), tuple(runpath), pairs, tuple(has))
