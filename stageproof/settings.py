"""What a project says once, so that nobody types it each time: `stageproof.toml`, or a table of pyproject.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stageproof import ignores
from stageproof.errors import CatalogError
from stageproof.ignores import Ignore

FILE, SHARED_FILE = "stageproof.toml", "pyproject.toml"
_KEYS = ("contract", "sources", "ignore")


@dataclass(frozen=True)
class Settings:
    """The settings of a folder; empty where it has none."""

    contract: str = ""
    sources: tuple[str, ...] = ()
    ignores: tuple[Ignore, ...] = ()


def read(folder: Path, claims: Iterable[str]) -> Settings:
    """Read the folder's stageproof.toml, or else `[tool.stageproof]` of its pyproject.toml; `claims` are those known.

    Raises CatalogError if the file cannot be read or says something that cannot be.
    """
    own, shared = folder / FILE, folder / SHARED_FILE
    if own.is_file():
        return _settings(_load(own), own, claims)
    if shared.is_file():
        table = _load(shared).get("tool", {}).get("stageproof", {})
        return _settings(table, shared, claims)
    return Settings()


def _load(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        failed = f"{path} cannot be read"
        raise CatalogError(failed, seen=str(error), do="mend the file; it is TOML") from error


def _settings(table: Mapping[str, Any], path: Path, claims: Iterable[str]) -> Settings:
    surplus = sorted(set(table) - set(_KEYS))
    if surplus:
        raise _bad(path, f"not known: {', '.join(surplus)}; known: {', '.join(_KEYS)}")
    contract, sources = table.get("contract", ""), table.get("sources", [])
    if not isinstance(contract, str):
        raise _bad(path, f"contract is no text: {contract!r}")
    if not isinstance(sources, list) or not all(isinstance(each, str) for each in sources):
        raise _bad(path, f"sources is no list of texts: {sources!r}")
    return Settings(contract, tuple(sources), ignores.read(table.get("ignore", []), str(path), claims))


def _bad(path: Path, seen: str) -> CatalogError:
    return CatalogError(f"{path} cannot be used", seen=seen, do="docs/verify.md tells what may stand in it")
