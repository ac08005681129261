"""The packages that a bill of materials lists, in the two forms that attestations carry.

Forms: SPDX 2 ("Package Information"), and CycloneDX 1 (`components`, which may hold others).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stageproof.image.packages import Package

SPDX, CYCLONEDX = "https://spdx.dev/Document", "https://cyclonedx.org/bom"
"""How the predicate types begin; a version may follow."""
_MOST = 1_000_000

Named = tuple[str, str]


def listed(predicate: Mapping[str, Any]) -> frozenset[Named]:
    """Give (name, version) of every package; one that stands in a group under its short and its long name."""
    found: set[Named] = set()
    for one in _tables(predicate.get("packages")):
        found.update(_named(one, "versionInfo"))
    below = [_tables(predicate.get("components"))]
    while below and len(found) < _MOST:
        for one in below.pop():
            found.update(_named(one, "version"))
            below.append(_tables(one.get("components")))
    return frozenset(found)


def of_image(packages: Iterable[Package]) -> Mapping[Named, Package]:
    """Give the packages of an image by what a bill of materials may call them."""
    return {key: one for one in packages for key in _forms(one.name, one.version)}


def _named(table: Mapping[str, Any], version: str) -> Iterator[Named]:
    name, group = str(table.get("name") or ""), str(table.get("group") or "")
    if name:
        yield from _forms(f"{group}:{name}" if group else name, str(table.get(version) or ""))


def _forms(name: str, version: str) -> Iterator[Named]:
    """Give the names under which one package may stand: Maven's group and npm's scope are often left out."""
    version = version.removeprefix("go")  # of Go's standard library
    yield _normal(name), version
    if ":" in name:
        yield _normal(name.rpartition(":")[2]), version
    if name.startswith("@"):
        yield _normal(name.partition("/")[2]), version


def _normal(name: str) -> str:
    return re.sub(r"[-_.:/]+", "-", name).lower()


def _tables(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
