"""Recipes -> images: one bake call, and a record of what was built and on what."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stageproof import __version__, dockerfile
from stageproof.engine import bake, bases, ca, record
from stageproof.engine import build as building
from stageproof.engine.record import Build, Record
from stageproof.workbench import Workbench, cache_folder

if TYPE_CHECKING:
    from stageproof.engine.bases import Bases
    from stageproof.engine.build import Outcome
    from stageproof.engine.progress import Step
    from stageproof.model import Recipe

MEMORY_PER_BUILD = 1_500_000_000
"""Bytes that one cold build may need at its peak (a Maven or Go compile): fewer at once where memory is small."""


@dataclass(frozen=True)
class Options:
    """What a user may choose for a build."""

    bases: str = "auto"
    builder: str | None = None
    jobs: int | None = None
    no_cache: bool = False
    ca_file: str | None = None


@dataclass(frozen=True)
class Plan:
    """What a build stands on here, beside the files of the repository."""

    bases: Bases
    additions: Mapping[str, Any]
    """A bake file that completes the committed one: this machine's bases, CA and proxies."""
    ca_bundle: str
    """Empty: there is no company CA."""


@dataclass(frozen=True)
class Result:
    """What came of a build, and what it stood on."""

    bases: Bases
    outcome: Outcome
    record: Record


def build(
    bench: Workbench,
    recipes: Sequence[Recipe],
    options: Options,
    *,
    tell: Callable[[Step], None],
    progress: Callable[[str], None],
) -> Result:
    """Build the recipes, their test stages and the helper image in one bake call, and remember what was built."""
    planned = plan(bench, recipes, options, progress)
    variables = app_variables(bench.root)
    builder = options.builder or os.environ.get("BUILDX_BUILDER")
    call = building.Call(bench.engine, bench.root, bench.root / record.FOLDER, variables, builder)
    outcome = building.build(call, planned.additions, _waves(bench, recipes, options.jobs), tell)
    kept = _remember(bench, recipes, planned, outcome, variables)
    return Result(planned.bases, outcome, kept)


def plan(bench: Workbench, recipes: Sequence[Recipe], options: Options, progress: Callable[[str], None]) -> Plan:
    """Choose the bases of recipes, make stand-ins where one is missing, and say what the bake file lacks."""
    company = ca.find(options.ca_file)
    helper_file = (bench.root / bake.HELPER_FOLDER / "Dockerfile").read_text(encoding="utf-8")
    references = [reference for recipe in recipes for reference in recipe.bases] + list(dockerfile.bases(helper_file))
    chosen = bases.choose(
        options.bases,
        references,
        bench.catalog,
        bench.engine,
        ca_bundle=company.bundle if company else None,
        cache=cache_folder(),
        progress=progress,
    )
    added = bake.Additions(
        contexts=chosen.contexts,
        ca_folder=ca.layer_folder(company, bench.root / record.FOLDER) if company else None,
        no_cache=options.no_cache,
        load=options.builder is not None,
    )
    bundle = str(company.bundle) if company else ""
    return Plan(chosen, bake.additions(bench.catalog, recipes, added), bundle)


def app_variables(root: Path) -> dict[str, str]:
    """Say what is built: version, commit, and the commit's time, so that an unchanged tree gives unchanged images."""
    git = ["git", "-C", str(root), "log", "-1", "--format=%H %ct"]
    told = subprocess.run(git, capture_output=True, text=True, check=False).stdout.split()
    commit, seconds = told if len(told) == 2 else ("unknown", "")  # noqa: PLR2004 -- the two fields of the format
    built = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else "unknown"
    return {"APP_VERSION": __version__, "APP_COMMIT": commit, "APP_BUILT": built}


def _waves(bench: Workbench, recipes: Sequence[Recipe], jobs: int | None) -> list[list[str]]:
    """Split the targets so that no more than `jobs` recipes are built at once; by default as many as memory allows."""
    at_once = jobs or max(1, int(bench.info["MemTotal"]) // MEMORY_PER_BUILD)
    waves = []
    for start in range(0, len(recipes), at_once):
        wave = recipes[start : start + at_once]
        tests = dict.fromkeys(bake.test_target(recipe) for recipe in wave)
        waves.append([recipe.name for recipe in wave] + list(tests))
    waves[0].append(bake.HELPER)
    return waves


def _remember(
    bench: Workbench, recipes: Sequence[Recipe], planned: Plan, outcome: Outcome, variables: Mapping[str, str]
) -> Record:
    chosen = planned.bases
    old = record.read(bench.root)
    engine = bench.engine_id
    images = dict(old.images) if old.engine == engine else {}
    for recipe in recipes:
        built = outcome.built.get(recipe.name)
        if built is None:
            images.pop(recipe.name, None)
            continue
        before = images.get(recipe.name)
        same = before is not None and before.digest == built.digest
        images[recipe.name] = Build(
            digest=built.digest,
            seconds=built.seconds,
            cached=built.cached,
            labels=variables,
            bases={reference: _base_image(reference, chosen, built.bases) for reference in recipe.bases},
            stand_ins=tuple(reference for reference in recipe.bases if reference in chosen.stand_ins),
            unit_tests=bake.test_target(recipe) in outcome.built,
            disk=before.disk if before and same else 0,
            pull=before.pull if before and same else 0,
        )
    helper = outcome.built.get(bake.HELPER)
    kept = Record(
        engine=engine, helper=helper.digest if helper else old.helper, ca_bundle=planned.ca_bundle, images=images
    )
    kept = _measured(bench, kept)
    record.write(bench.root, kept)
    return kept


def _base_image(reference: str, chosen: Bases, digests: Mapping[str, str]) -> str:
    if reference in chosen.stand_ins:
        return chosen.stand_ins[reference].image
    named = [digest for uri, digest in digests.items() if reference.split(":", maxsplit=1)[0] in uri]
    return f"sha256:{named[0]}" if named else reference


def _measured(bench: Workbench, kept: Record) -> Record:
    """Add the sizes of images that are new; known ones are not read again."""
    new = {name: build for name, build in kept.images.items() if not build.disk}
    if not new:
        return kept
    # Only here, since a build that changes nothing reads no image.
    from stageproof import subjects  # noqa: PLC0415 -- slow to import

    read = subjects.load(bench, [build.digest for build in new.values()], kept)
    sized = {
        name: dataclasses.replace(build, disk=read[build.digest].disk, pull=read[build.digest].pull)
        for name, build in new.items()
    }
    return dataclasses.replace(kept, images={**kept.images, **sized})
