"""`waste-budget`: few bytes of the image's layers are hidden by later layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stageproof.checks.subject import Subject, evidence_in, failed, passed
from stageproof.image import Entry, Image, Kind, Layer
from stageproof.model import Evidence, Finding

CLAIM = "ships few bytes that a later layer hides"
BROKEN = "ships too many bytes that a later layer hides"
WHY = "they are stored and pulled, and no container ever sees them"
DO = "remove a file in the RUN line that makes it, set modes with COPY --chmod, and build in a stage of its own"
MB = 1_000_000
SHOWN = 10


@dataclass(frozen=True)
class _Hidden:
    """One file that a layer ships and a later layer hides."""

    layer: Layer
    path: str
    size: int
    by: int
    """The number of the layer that hid its last name."""
    again: bool
    """Whether that layer wrote it again."""


def check(subject: Subject, mb: float = 5, percent: float = 5) -> Finding:
    """Decide the claim: no more than `mb` MB (10^6 bytes), or no more than `percent` % of all bytes of all layers.

    A file is waste if its bytes cannot be reached in the merged image: deleted, in a folder that is deleted, or written
    again by a later layer (a chmod writes it again). Counted once, however many names it has. What a base wastes by
    itself is told, and is not the app's.
    """
    image = subject.image
    hidden, base = list(_hidden(image)), subject.origins.count or 0
    mine = sum(each.size for each in hidden if each.by > base)
    theirs = sum(each.size for each in hidden if each.by <= base)
    share = 100 * mine / image.disk if image.disk else 0.0
    told = f"{mine / MB:.1f} MB of {image.disk / MB:.1f} ({share:.1f} %) are hidden by later layers"
    told += f"; {theirs / MB:.1f} MB more are the base's own" if theirs else ""
    largest = sorted(hidden, key=lambda each: (each.by <= base, -each.size))[:SHOWN]
    seen = [_evidence(subject, each) for each in largest]
    if mine > mb * MB and share > percent:
        return failed("waste-budget", f"{BROKEN}: {told}", seen, DO)
    return passed("waste-budget", told, seen)


def _evidence(subject: Subject, hidden: _Hidden) -> Evidence:
    how = "written again" if hidden.again else "deleted"
    whose = ", all within the base" if hidden.by <= (subject.origins.count or 0) else ""
    return evidence_in(subject, hidden.layer, f"{how} in layer {hidden.by}{whose}", hidden.path, hidden.size)


def _hidden(image: Image) -> Iterator[_Hidden]:
    """Give the files whose bytes no container can reach under any name."""
    covers = [_Cover.of(layer) for layer in image.layers]
    reached = _through_hard_links(image)
    for layer in image.layers:
        number = layer.number
        names: dict[str, list[str]] = {}
        for path, entry in layer.entries.items():
            if entry.kind is Kind.HARD_LINK:
                names.setdefault(_bytes_of(image.layers, number, path)[1], []).append(path)
        for path, entry in layer.entries.items():
            if image.brought_by.get(path) == number or not (entry.is_file and entry.size) or (number, path) in reached:
                continue
            last = max(_hidden_by(covers, number, name) for name in (path, *names.get(path, ())))
            yield _Hidden(layer, path, entry.size, last, again=path in image.layers[last - 1].entries)


@dataclass(frozen=True)
class _Cover:
    """What a layer takes away from those below."""

    gone: frozenset[str]
    """Paths with all that is below them: deleted, or something else stands there now."""
    emptied: frozenset[str]
    entries: Mapping[str, Entry]

    @classmethod
    def of(cls, layer: Layer) -> _Cover:
        others = (path for path, entry in layer.entries.items() if not entry.is_folder)
        return cls(frozenset((*layer.removed, *others)), frozenset(layer.emptied), layer.entries)

    def hides(self, path: str) -> bool:
        if path in self.entries or path in self.gone:
            return True
        while path not in {"", "/"}:
            path = path.rpartition("/")[0] or "/"
            if path in self.gone or path in self.emptied:
                return True
        return False


def _hidden_by(covers: Sequence[_Cover], number: int, path: str) -> int:
    """Give the first layer above that hides a path; the layer itself where none does."""
    return next((above for above, cover in enumerate(covers[number:], start=number + 1) if cover.hides(path)), number)


def _through_hard_links(image: Image) -> set[tuple[int, str]]:
    """Give the files, by layer and path, that a container reaches under another name than their first."""
    return {
        _bytes_of(image.layers, layer.number, path)
        for layer in image.layers
        for path, entry in layer.entries.items()
        if entry.kind is Kind.HARD_LINK and image.brought_by.get(path) == layer.number
    }


def _bytes_of(layers: Sequence[Layer], number: int, path: str) -> tuple[int, str]:
    """Follow hard links from a path of a layer to the file, in that layer or one below."""
    seen = set()
    while (number, path) not in seen:
        seen.add((number, path))
        found = layers[number - 1].entries.get(path)
        if found is None or found.kind is not Kind.HARD_LINK:
            break
        path = found.link
        number = next((below for below in range(number, 0, -1) if path in layers[below - 1].entries), number)
    return number, path
