"""What was carried over from another tool's file, and what was not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from stageproof.checks.stated import FILES
from stageproof.contract import Contract
from stageproof.errors import CatalogError
from stageproof.image import kept
from stageproof.model import Claim

Json = dict[str, Any]


@dataclass
class Carried:
    """Claims under construction: parameters by claim, and the assertions that no claim can state."""

    claims: dict[str, Json] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def row(self, claim: str, parameter: str, row: Json) -> None:
        """Add a row to a parameter that is a list of tables."""
        self.claims.setdefault(claim, {}).setdefault(parameter, []).append(row)

    def leave(self, what: str, why: str) -> None:
        """Note an assertion that is not carried over."""
        self.left.append(f"{what}: {why}")

    def text_in_file(self, row: Json, what: str, pattern: str, *, absent: bool = False) -> None:
        """State that a file holds a text that matches a pattern, or holds none, as far as that can be decided."""
        text = literal(pattern)
        if text is not None:
            row.setdefault("lacks" if absent else "contains", []).append(text)
        elif not absent and kept.keep(str(row["path"]), b"") is not None:
            row.setdefault("matches", []).append(pattern)
        else:
            self.leave(
                f"{what} {'not ' if absent else ''}{pattern!r}", "only plain texts are searched for in every file"
            )

    def contract(self, title: str) -> Contract:
        """Give what was carried over. Raises CatalogError if it is nothing."""
        claims = tuple(Claim(name, parameters) for name, parameters in self.claims.items())
        if claims:
            return Contract("imported", title, claims)
        failed = "nothing in it can be carried over"
        raise CatalogError(failed, seen="\n".join(self.left), why="a contract that claims nothing proves nothing")


_PART = re.compile(r"\\(?P<escaped>[^A-Za-z0-9])|(?P<plain>[^\\.^$*+?{}\[\]|()])", re.DOTALL)


def literal(pattern: str) -> str | None:
    """Give the one text that a regular expression matches; None if it may match several, or is bound to a place."""
    parts = list(_PART.finditer(pattern))
    if not parts or sum(len(part[0]) for part in parts) < len(pattern):
        return None
    return "".join(part["escaped"] or part["plain"] for part in parts)


def load(path: Path) -> Json:
    """Read a YAML or JSON file whose top is a table. Raises CatalogError."""
    failed = f"{path} cannot be read"
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise CatalogError(failed, seen=str(error), do="mend the file; it is YAML or JSON") from error
    if not isinstance(document, dict):
        raise CatalogError(failed, seen=f"its top is no table, but {type(document).__name__}")
    return document


def tables(path: Path, document: Mapping[str, Any], key: str) -> list[Json]:
    """Give a list of tables under a key; empty where there is none. Raises CatalogError if it is another thing."""
    found = document.get(key) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise wrong(path, f"{key} is no list of tables")
    return found


def named(path: Path, document: Mapping[str, Any], key: str) -> dict[str, Json]:
    """Give a table of tables under a key; empty where there is none. Raises CatalogError if it is another thing."""
    found = document.get(key) or {}
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise wrong(path, f"{key} is no table of tables")
    return {str(name): each for name, each in found.items()}


def wrong(path: Path, seen: str) -> CatalogError:
    """Say that a file is not of the shape that its tool documents."""
    return CatalogError(f"{path} cannot be carried over", seen=seen, do="compare it with the tool's own documentation")


def file_row(carried: Carried, row: Json) -> None:
    """Add a row about a file."""
    carried.row(FILES, "files", row)
