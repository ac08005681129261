"""What was proved before and has not changed since: test-all need not ask it again.

A proof is remembered under a key of everything that it rests on: the image and its siblings, the helper, the engine,
the kernel, every file that decides, and the day, since some claims look at the calendar. Only a proof without a failure
is remembered, and only `test-all` reads it: `make test` asks everything each time.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from stageproof.engine.record import FOLDER, Record
from stageproof.model import Recipe

_FILE = "proofs.json"
_SCHEMA = 1
_DECIDING = ("stageproof", "tests/images", "dockerfiles", "bases")
_DECIDING_FILES = ("requirements.lock", "apps/*/stack.toml", "apps/*/canary.txt")


@dataclass(frozen=True)
class Proof:
    """One image that was proved whole."""

    key: str
    at: str
    """When, in UTC: `2026-11-23 08:10`."""
    verdicts: Mapping[str, int]
    """How often each verdict was given."""


def keys(root: Path, recipes: Sequence[Recipe], builds: Record, engine: str) -> dict[str, str]:
    """Give the key of each recipe's proof; `engine` says which engine of which version answers."""
    common = [engine, platform.release(), _today(), builds.helper, builds.ca_bundle, deciding(root)]
    return {recipe.name: _key(common, recipe, builds) for recipe in recipes}


def deciding(root: Path) -> str:
    """Give a digest of every file that has a say in a verdict."""
    files = [path for folder in _DECIDING for path in (root / folder).rglob("*") if path.is_file()]
    files += [path for pattern in _DECIDING_FILES for path in root.glob(pattern)]
    digest = hashlib.sha256()
    for path in sorted(path for path in files if "__pycache__" not in path.parts):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(root)} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def read(root: Path) -> dict[str, Proof]:
    """Read what is remembered, by recipe; an absent file, and one of another version, is empty."""
    try:
        data = json.loads((root / FOLDER / _FILE).read_text(encoding="utf-8"))
        return {name: Proof(**each) for name, each in data["proofs"].items()} if data["schema"] == _SCHEMA else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def remember(root: Path, asked: Mapping[str, str], verdicts: Mapping[str, Mapping[str, int]]) -> None:
    """Remember the recipes that were asked, by their keys, if everything holds, and forget the others of them."""
    kept = read(root)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    for name, key in asked.items():
        kept.pop(name, None)
        counted = verdicts.get(name, {})
        if counted.get("pass") and not counted.get("fail") and not counted.get("unknown"):
            kept[name] = Proof(key, now, dict(counted))
    document = {"schema": _SCHEMA, "proofs": {name: asdict(proof) for name, proof in kept.items()}}
    with tempfile.NamedTemporaryFile("w", dir=root / FOLDER, delete=False, encoding="utf-8") as file:
        json.dump(document, file, indent=2)
    os.replace(file.name, root / FOLDER / _FILE)  # noqa: PTH105 -- Path has no atomic form of its own to name here


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _key(common: Sequence[str], recipe: Recipe, builds: Record) -> str:
    """Take in the siblings too: a claim may compare an image with the stack's others."""
    siblings = {
        name: [build.digest, dict(build.labels), dict(build.bases), build.unit_tests]
        for name, build in sorted(builds.images.items())
        if name.startswith(f"{recipe.stack.name}-")
    }
    text = json.dumps([*common, recipe.name, siblings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
