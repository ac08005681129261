"""Checks, one file per claim, found by listing the folders: no list of them stands in code."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Protocol, cast

from stageproof.checks.subject import Subject
from stageproof.errors import CatalogError
from stageproof.model import Finding

FAMILIES = ("dockerfile", "image", "live")


class Check(Protocol):
    """The module of one check."""

    __name__: str
    CLAIM: str
    """The sentence part when the claim holds: "contains no shell"."""
    BROKEN: str
    """The sentence part when it does not: "contains a shell"."""
    WHY: str

    def check(self, subject: Subject, **parameters: object) -> Finding:
        """Decide the claim for one image."""


@cache
def names() -> Mapping[str, str]:
    """Give every check's id with the name of its module: {"no-shell": "stageproof.checks.image.no_shell"}."""
    found: dict[str, str] = {}
    for family in FAMILIES:
        package = importlib.import_module(f"{__name__}.{family}")
        for module in pkgutil.iter_modules(package.__path__):
            if not module.name.startswith("_"):
                found[module.name.replace("_", "-")] = f"{package.__name__}.{module.name}"
    return MappingProxyType(dict(sorted(found.items())))


def load(claim: str) -> Check:
    """Give the check of a claim; raise CatalogError if there is none."""
    known = names()
    if claim not in known:
        failed = f"there is no check {claim!r}"
        raise CatalogError(failed, seen=f"known: {', '.join(known)}", why="a claim that no check proves cannot be made")
    return cast("Check", importlib.import_module(known[claim]))
