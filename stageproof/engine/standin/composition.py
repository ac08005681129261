"""What a base.toml says about its stand-in, and the key under which it is made once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stageproof import dockerfile
from stageproof.errors import CatalogError
from stageproof.model import Base

DOCKERFILE = "stand-in.Dockerfile"
PACKAGES_DOCKERFILE = "packages.Dockerfile"
LABEL = "dev.stageproof.stand-in"

Kind = Literal["debootstrap", "dockerfile", "distroless"]

_KINDS: Mapping[str, tuple[str, ...]] = {
    "debootstrap": (),
    "dockerfile": (),
    "distroless": ("debian_package.py", "distroless.py", "families.py", "items.py", "keystore.py", "layer.py"),
}
"""The kinds, each with the sources here that its images come out of; for some, the base's folder says everything."""


@dataclass(frozen=True)
class Composition:
    """One base with what its stand-in needs and the key of all its inputs."""

    base: Base
    kind: Kind
    needs: tuple[str, ...]
    """The names of the bases whose stand-ins must be there first."""
    key: str

    @property
    def name(self) -> str:
        """The base's name."""
        return self.base.name

    def image(self, reference: str) -> str:
        """Give the name in the engine of the stand-in for a reference; it never is the upstream one."""
        tag = reference.rpartition(":")[2]
        return f"stageproof/{self.name}:{tag}-{self.key[:12]}"

    def labels(self, reference: str) -> dict[str, str]:
        """Give the label by which anybody sees what the image is."""
        return {LABEL: what_it_is(reference)}


def what_it_is(reference: str) -> str:
    """Give the text of the label; images that are built on a stand-in have it too."""
    return f"stand-in for {reference}; not the real image"


def compositions(bases: Sequence[Base]) -> dict[str, Composition]:
    """Read how all bases are composed, parents before children. Raises CatalogError if that is unclear."""
    by_name = {base.name: base for base in bases}
    by_reference = {reference: base.name for base in bases for reference in base.references}
    done: dict[str, Composition] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in done:
            return
        if name in path or name not in by_name:
            failed = f"the stand-in of {path[-1]} cannot be composed"
            seen = f"it needs itself: {' -> '.join((*path, name))}" if name in path else f"there is no base {name!r}"
            raise CatalogError(failed, seen=seen, do="correct [stand-in] in its base.toml")
        base = by_name[name]
        needs = tuple(_needs(base, by_reference))
        for need in needs:
            visit(need, (*path, name))
        done[name] = Composition(base, _kind(base), needs, _key(base, [done[need].key for need in needs]))

    for name in sorted(by_name):
        visit(name, ())
    return done


def texts(table: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Read a list of texts out of a table; nothing there means none."""
    found = table.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        failed = f"{name} of a [stand-in] is no list of texts"
        raise CatalogError(failed, seen=repr(found), do="correct the base.toml")
    return tuple(found)


def table(base: Base, name: str) -> Mapping[str, Any]:
    """Read a table of `[stand-in]`; nothing there means an empty one."""
    found = base.stand_in.get(name, {})
    if not isinstance(found, dict):
        failed = f"stand-in.{name} of the base {base.name} is no table"
        raise CatalogError(failed, seen=repr(found), do="correct its base.toml")
    return found


def differences(composition: Composition, known: Mapping[str, Composition]) -> tuple[str, ...]:
    """Give how a stand-in differs from the real image; distroless families inherit it from their parents."""
    parent = composition.base.stand_in.get("parent")
    inherited = differences(known[str(parent)], known) if parent else ()
    return tuple(dict.fromkeys((*inherited, *composition.base.differs)))


def _kind(base: Base) -> Kind:
    match base.stand_in.get("kind"):
        case "debootstrap" | "dockerfile" | "distroless" as kind:
            return kind
        case other:
            failed = f"the base {base.name} does not say how its stand-in is composed"
            raise CatalogError(failed, seen=f"kind = {other!r}", do=f"known kinds: {', '.join(_KINDS)}")


def _needs(base: Base, by_reference: Mapping[str, str]) -> Iterator[str]:
    if parent := base.stand_in.get("parent"):
        yield str(parent)
    if source := table(base, "copy").get("from"):
        yield str(source)
    for file in (DOCKERFILE, PACKAGES_DOCKERFILE):
        path = base.folder / file
        for reference in dockerfile.bases(path.read_text(encoding="utf-8")) if path.is_file() else ():
            if reference not in by_reference:
                failed = f"the stand-in of {base.name} starts from {reference}, which no base describes"
                raise CatalogError(failed, seen=str(path), do="correct its FROM line, or add that base")
            yield by_reference[reference]


def _key(base: Base, needed: Sequence[str]) -> str:
    """Hash what the image comes out of: not the end of life, nor the list of differences."""
    composed = {name: value for name, value in base.stand_in.items() if name != "differs"}
    digest = hashlib.sha256(json.dumps([base.references, composed, needed], sort_keys=True).encode())
    sources = [Path(__file__).parent / name for name in _KINDS[_kind(base)]]
    own = (path for path in sorted(base.folder.iterdir()) if path.is_file() and path.name != "base.toml")
    for path in (*sources, *own):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.name} {path.stat().st_mode & 0o100:o} {content}\n".encode())
    return digest.hexdigest()
