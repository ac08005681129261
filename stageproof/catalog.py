"""Folders become data here: the only reader of `apps/`, `dockerfiles/` and `bases/`.

A stack, a variant and a base are found because their folder or file is there. No list of them stands in code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from stageproof import contract, dockerfile
from stageproof.errors import CatalogError, UsageError
from stageproof.model import Base, Budget, Limits, Recipe, Stack, Variant
from stageproof.names import nearest

_MEGABYTE = 10**6
_CANARY = "canary.txt"

T = TypeVar("T")


@dataclass(frozen=True)
class Catalog:
    """Everything that the project's folders say."""

    root: Path
    stacks: tuple[Stack, ...]
    variants: tuple[Variant, ...]
    bases: tuple[Base, ...]
    recipes: tuple[Recipe, ...]

    def base(self, reference: str) -> Base:
        """Find the base of a `FROM` reference. Raises CatalogError if no folder below `bases/` describes it."""
        for base in self.bases:
            if reference in base.references:
                return base
        failed = f"no folder below bases/ describes {reference}"
        known = ", ".join(reference for base in self.bases for reference in base.references)
        raise CatalogError(failed, seen=f"known: {known}", do="add bases/<name>/base.toml, or correct the FROM line")

    def select(self, stack: str | None = None, variant: str | None = None) -> tuple[Recipe, ...]:
        """Give the recipes of a stack, of a variant, of both, or all. Raises UsageError for unknown names."""
        if stack is not None:
            known("stack", stack, [each.name for each in self.stacks])
        if variant is not None:
            known("variant", variant, [each.name for each in self.variants])
        return tuple(
            recipe
            for recipe in self.recipes
            if stack in (None, recipe.stack.name) and variant in (None, recipe.variant.name)
        )


def known(kind: str, name: str, names: Iterable[str]) -> None:
    """Raise UsageError, naming the known ones and the nearest, unless `name` is one of `names`."""
    listed = sorted(names)
    if name in listed:
        return
    failed = f"there is no {kind} called {name!r}"
    raise UsageError(failed, seen=f"known: {', '.join(listed)}", do=nearest(name, listed))


def read(root: Path) -> Catalog:
    """Read the folders below `root`. Raises CatalogError where a file says something that cannot be."""
    stacks = tuple(_each(sorted(root.glob("apps/*/stack.toml")), _stack))
    variants = tuple(sorted(_each(root.glob("dockerfiles/contracts/*.toml"), _variant), key=lambda each: each.order))
    bases = tuple(_each(sorted(root.glob("bases/*/base.toml")), _base))
    recipes = tuple(
        _recipe(stack, variant, path)
        for stack in stacks
        for variant in variants
        if (path := root / "dockerfiles" / stack.name / f"{variant.dockerfile}.Dockerfile").is_file()
    )
    return Catalog(root=root, stacks=stacks, variants=variants, bases=bases, recipes=recipes)


def canary(stack: Stack) -> str:
    """Give the text of the stack's canary file: a stray file of the build context that no image may hold."""
    return (stack.folder / _CANARY).read_text(encoding="utf-8").strip()


def _each(paths: Iterable[Path], build: Callable[[Path, dict[str, Any]], T]) -> Sequence[T]:
    return [_built(path, build) for path in paths]


def _built(path: Path, build: Callable[[Path, dict[str, Any]], T]) -> T:
    try:
        return build(path, tomllib.loads(path.read_text(encoding="utf-8")))
    except KeyError as error:
        failed, seen = f"{path} does not say all that it must", f"missing: {error.args[0]}"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
        failed, seen = f"{path} cannot be read", str(error)
    raise CatalogError(failed, seen=seen, do="compare it with the same file in a neighbouring folder")


def _stack(path: Path, data: Mapping[str, Any]) -> Stack:
    limits, budgets = data["limits"], data["budgets"]
    return Stack(
        name=path.parent.name,
        title=data["title"],
        language=data["language"],
        description=data["description"],
        folder=path.parent,
        compiled=bool(data["compiled"]),
        source_suffixes=tuple(data["source-suffixes"]),
        dev_packages=tuple(data["dev-packages"]),
        sdk=data["sdk"],
        limits=Limits(
            memory=limits["memory-mb"] * _MEGABYTE, pids=limits["pids"], start_seconds=limits["start-seconds"]
        ),
        budgets={
            name: Budget(disk=int(each["disk-mb"] * _MEGABYTE), pull=int(each["pull-mb"] * _MEGABYTE))
            for name, each in budgets.items()
        },
        varying=tuple(data.get("varying", ())),
    )


def _variant(path: Path, data: Mapping[str, Any]) -> Variant:
    return Variant(
        name=path.stem,
        title=data["title"],
        description=data["description"],
        dockerfile=data.get("dockerfile", path.stem),
        args=dict(data.get("args", {})),
        claims=contract.claims(data["claims"]),
        order=int(data["order"]),
    )


def _base(path: Path, data: Mapping[str, Any]) -> Base:
    runtime = data.get("runtime")
    end_of_life = data["end-of-life"]
    if not isinstance(end_of_life, date):
        message = f"end-of-life is no date: {end_of_life!r}"
        raise TypeError(message)
    return Base(
        name=path.parent.name,
        folder=path.parent,
        repository=data["repository"],
        tags=tuple(data["tags"]),
        runtime=(runtime["name"], runtime["version"]) if runtime else None,
        end_of_life=end_of_life,
        end_of_life_source=data["end-of-life-source"],
        differs=tuple(data["stand-in"]["differs"]),
        stand_in=data["stand-in"],
    )


def _recipe(stack: Stack, variant: Variant, path: Path) -> Recipe:
    if variant.name not in stack.budgets:
        failed = f"{stack.folder / 'stack.toml'} does not say all that it must"
        raise CatalogError(failed, seen=f"missing: budgets.{variant.name}", do="add a line for it below [budgets]")
    text = path.read_text(encoding="utf-8")
    return Recipe(stack=stack, variant=variant, dockerfile=path, bases=dockerfile.bases(text, variant.args))
