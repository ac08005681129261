"""Layers laid over each other, white-outs applied: the tree that a container sees.

Within a layer the order of entries does not matter: its reader refuses an archive in which something stands below what
is no folder (`stageproof.image.layer`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec import structs

from stageproof.image.tree import Entry, Kind, Layer

_MOST_HARD_LINKS = 40
_MEMORIES = 64
_FEW = 32
"""Folders for which every path is compared with each; for more, every folder above a path is looked up."""


@dataclass(frozen=True)
class _Shape:
    """What laying a layer over others has to look at, found once a layer."""

    parents: tuple[str, ...]
    """Folders that the layer's paths take for granted, and that it does not bring."""
    hard_links: tuple[str, ...]


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
        if layer.diff_id not in self._shapes:
            self._shapes[layer.diff_id] = _shape(layer)
        _lay_over(merged, layer, self._shapes[layer.diff_id], number)


def _shape(layer: Layer) -> _Shape:
    entries = layer.entries
    wanted = {path.rpartition("/")[0] for path in entries}
    wanted.discard("")
    parents = {folder for folder in wanted if folder not in entries}
    for folder in list(parents):
        parents.update(above for above in _above(folder) if above not in entries)
    return _Shape(
        parents=tuple(sorted(parents)),
        hard_links=tuple(path for path, entry in entries.items() if entry.kind is Kind.HARD_LINK),
    )


def _above(folder: str) -> Iterable[str]:
    while folder := folder.rpartition("/")[0]:
        yield folder


def _lay_over(merged: Merged, layer: Layer, shape: _Shape, number: int) -> None:
    tree, entries = merged.tree, layer.entries
    both = tree.keys() & entries.keys()
    if replaced := {path for path in both if tree[path].is_folder and not entries[path].is_folder}:
        _hide(merged, replaced)
    tree.update(entries)
    merged.brought_by.update(dict.fromkeys(entries, number))
    for folder in shape.parents:  # sorted: from above to below
        _make_folder(merged, folder, number)
    for path in shape.hard_links:
        tree[path] = _linked(tree, layer, entries[path])


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
    tree = merged.tree
    hidden = set(layer.emptied)
    for path in layer.removed:
        entry = tree.pop(path, None)
        if entry is not None:
            del merged.brought_by[path]
            if entry.is_folder:
                hidden.add(path)
    if hidden:
        _hide(merged, hidden)


def _hide(merged: Merged, folders: set[str]) -> None:
    """Remove everything below some folders; the folders themselves stay."""
    if len(folders) <= _FEW:
        starts = tuple(folder.rstrip("/") + "/" for folder in folders)
        below = [path for path in merged.tree if path.startswith(starts)]
    else:
        below = [path for path in merged.tree if not folders.isdisjoint({"/", *_above(path)})]
    for path in below:
        del merged.tree[path]
        del merged.brought_by[path]
