"""Layers laid over each other, white-outs applied: the tree that a container sees."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec import structs

from stageproof.image.tree import Entry, Kind, Layer

_MOST_HARD_LINKS = 40
_MEMORIES = 64


@dataclass(frozen=True)
class _Shape:
    """What laying a layer over others has to look at, found once a layer."""

    parents: tuple[str, ...]
    """Folders that the layer's paths take for granted, and that it does not bring."""
    hard_links: tuple[str, ...]
    is_tidy: bool
    """Whether no path of the layer is both a folder and something else: the order of entries does not matter."""


@dataclass(frozen=True)
class Merged:
    """The tree, and for each path the number of the layer that brought it."""

    tree: dict[str, Entry]
    brought_by: dict[str, int]


class Merger:
    """Merges the layers of several images; what two of them begin with is merged once."""

    def __init__(self) -> None:
        self._shapes: dict[str, _Shape] = {}
        self._done: dict[tuple[str, ...], Merged] = {}

    def merge(self, layers: Sequence[Layer]) -> tuple[dict[str, Entry], dict[str, int]]:
        """Give the merged tree, and the layer number of each path. Who asks must not change them."""
        ids = tuple(layer.diff_id for layer in layers)
        begun = next((count for count in range(len(ids), 0, -1) if ids[:count] in self._done), 0)
        merged = self._done[ids[:begun]] if begun else Merged({}, {})
        for number, layer in enumerate(layers[begun:], start=begun + 1):
            merged = Merged(merged.tree.copy(), merged.brought_by.copy())
            self._lay(merged, layer, number)
            if len(self._done) < _MEMORIES:
                self._done[ids[:number]] = merged
        return merged.tree, merged.brought_by

    def _lay(self, merged: Merged, layer: Layer, number: int) -> None:
        _take_away(merged, layer)
        shape = self._shapes.setdefault(layer.diff_id, _shape(layer))
        if shape.is_tidy:
            _lay_at_once(merged, layer, shape, number)
        else:
            _lay_one_by_one(merged, layer, number)


def _shape(layer: Layer) -> _Shape:
    entries = layer.entries
    wanted = {path.rpartition("/")[0] for path in entries}
    wanted.discard("")
    parents = {folder for folder in wanted if folder not in entries}
    for folder in list(parents):
        parents.update(above for above in _above(folder) if above not in entries)
    inside = (entries.get(above) for folder in wanted for above in (folder, *_above(folder)))
    return _Shape(
        parents=tuple(sorted(parents)),
        hard_links=tuple(path for path, entry in entries.items() if entry.kind is Kind.HARD_LINK),
        is_tidy=all(entry is None or entry.is_folder for entry in inside),
    )


def _above(folder: str) -> Iterable[str]:
    while folder := folder.rpartition("/")[0]:
        yield folder


def _lay_at_once(merged: Merged, layer: Layer, shape: _Shape, number: int) -> None:
    tree, entries = merged.tree, layer.entries
    for path in tree.keys() & entries.keys():
        if tree[path].is_folder and not entries[path].is_folder:
            _remove(merged, path)
    tree.update(entries)
    merged.brought_by.update(dict.fromkeys(entries, number))
    for folder in shape.parents:  # sorted: from above to below
        _make_folder(merged, folder, number)
    for path in shape.hard_links:
        tree[path] = _linked(tree, layer, entries[path])


def _lay_one_by_one(merged: Merged, layer: Layer, number: int) -> None:
    tree = merged.tree
    for path, entry in layer.entries.items():
        old = tree.get(path)
        if old is not None and old.is_folder and not entry.is_folder:
            _remove(merged, path)
        for folder in reversed(list(_above(path))):
            _make_folder(merged, folder, number)
        tree[path] = _linked(tree, layer, entry) if entry.kind is Kind.HARD_LINK else entry
        merged.brought_by[path] = number


def _make_folder(merged: Merged, folder: str, number: int) -> None:
    """Make a folder that an archive takes for granted, as an engine does when it unpacks one."""
    if folder not in merged.tree or not merged.tree[folder].is_folder:
        merged.tree[folder] = Entry(folder, Kind.FOLDER, 0o755, 0, 0)
        merged.brought_by[folder] = number


def _linked(tree: Mapping[str, Entry], layer: Layer, entry: Entry) -> Entry:
    """Give the file that a hard link is another name of; the link itself where there is none, or only a folder."""
    target: Entry | None = entry
    for _ in range(_MOST_HARD_LINKS):
        if target is None or target.kind is not Kind.HARD_LINK:
            break
        target = layer.entries.get(target.link) or tree.get(target.link)
    if target is None or target.kind in {Kind.HARD_LINK, Kind.FOLDER}:
        return entry
    return structs.replace(target, path=entry.path)


def _take_away(merged: Merged, layer: Layer) -> None:
    gone, emptied = set(layer.removed), set(layer.emptied)
    if not gone and not emptied:
        return
    for path in [path for path in merged.tree if _is_hidden(path, gone, emptied)]:
        del merged.tree[path]
        del merged.brought_by[path]


def _is_hidden(path: str, gone: set[str], emptied: set[str]) -> bool:
    if path in gone:
        return True
    while path != "/":
        path = posixpath.dirname(path)
        if path in gone or path in emptied:
            return True
    return False


def _remove(merged: Merged, folder: str) -> None:
    for path in [path for path in merged.tree if path.startswith(folder + "/")]:
        del merged.tree[path]
        del merged.brought_by[path]
