"""What the last builds made: later commands test these digests, not whatever a tag points at now."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stageproof.errors import NothingBuiltError

FOLDER = ".stageproof"
_FILE = "builds.json"
_SCHEMA = 1


@dataclass(frozen=True)
class Build:
    """One image that was built."""

    digest: str
    """The image's id in the engine."""
    seconds: float
    cached: bool
    labels: Mapping[str, str]
    """The build arguments behind `/version` and the labels: APP_VERSION, APP_COMMIT, APP_BUILT."""
    bases: Mapping[str, str]
    """The image behind each `FROM` reference: a stand-in's name in the engine, or the real image's digest."""
    stand_ins: tuple[str, ...]
    """The references that stand-ins stood behind."""
    unit_tests: bool
    """Whether the Dockerfile's `test` stage was built."""
    disk: int = 0
    pull: int = 0
    """Sizes in bytes."""


@dataclass(frozen=True)
class Record:
    """The last builds, by recipe, and the engine that holds them."""

    engine: str = ""
    """The engine's own id."""
    helper: str = ""
    """The helper image's id."""
    ca_bundle: str = ""
    """The company's bundle that lay over the stage `sdk`; empty if there was none."""
    images: Mapping[str, Build] = field(default_factory=dict)


def read(root: Path) -> Record:
    """Read the record; an absent one, and one of another version, is empty."""
    try:
        data = json.loads((root / FOLDER / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Record()
    if data.pop("schema", None) != _SCHEMA:
        return Record()
    images = {
        name: Build(**(each | {"stand_ins": tuple(each["stand_ins"])})) for name, each in data.pop("images").items()
    }
    return Record(**data, images=images)


def write(root: Path, record: Record) -> None:
    """Write the record in one piece."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:
        json.dump({"schema": _SCHEMA} | dataclasses.asdict(record), file, indent=2)
    os.replace(file.name, folder / _FILE)  # noqa: PTH105 -- Path has no atomic form of its own to name here


def require(record: Record, recipe: str, engine: str) -> Build:
    """Give the build of a recipe in this engine. Raises NothingBuiltError if there is none."""
    build = record.images.get(recipe)
    if build is None or record.engine != engine:
        failed = f"{recipe} was not built yet" if build is None else f"{recipe} was built in another engine"
        raise NothingBuiltError(failed, why="there is nothing to look at", do="invoke build-all")
    return build
