"""Where the parts meet for this project's own recipes: build, remember what was built, hand it to the checks."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from stageproof import __version__, catalog, dockerfile, image
from stageproof.checks.subject import Subject
from stageproof.engine import bake, bases, ca, find, home, record
from stageproof.engine import build as building
from stageproof.engine.images import Images
from stageproof.engine.record import Build, Record
from stageproof.image.needles import Needles
from stageproof.live.sweep import sweep

if TYPE_CHECKING:
    from docker import DockerClient

    from stageproof.catalog import Catalog
    from stageproof.engine.bases import Bases
    from stageproof.engine.build import Outcome
    from stageproof.engine.client import Engine
    from stageproof.engine.progress import Step
    from stageproof.image import Image
    from stageproof.live import Live
    from stageproof.model import Recipe

MEMORY_PER_BUILD = 1_500_000_000
"""Bytes that one cold build may need at its peak (a Maven or Go compile): fewer at once where memory is small."""


@dataclass(frozen=True)
class Workbench:
    """The project's folders, and an engine to work with."""

    catalog: Catalog
    engine: Engine
    client: DockerClient

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.catalog.root

    @cached_property
    def info(self) -> Mapping[str, Any]:
        """What the engine says about itself."""
        return cast("Mapping[str, Any]", self.client.info())

    @property
    def engine_id(self) -> str:
        """The engine's own id: images of one engine are not in another."""
        return str(self.info["ID"])


def open_engine(read: Catalog, progress: Callable[[str], None]) -> Workbench:
    """Find or start an engine, and remove what dead runs left in it. Raises EngineError."""
    engine = find.ensure(progress)
    client = engine.connect()
    sweep(client)
    return Workbench(catalog=read, engine=engine, client=client)


@dataclass(frozen=True)
class Options:
    """What a user may choose for a build."""

    bases: str = "auto"
    builder: str | None = None
    jobs: int | None = None
    no_cache: bool = False
    ca_file: str | None = None


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
    folder = bench.root / record.FOLDER
    added = bake.Additions(
        contexts=chosen.contexts,
        ca_folder=ca.layer_folder(company, folder) if company else None,
        no_cache=options.no_cache,
        load=options.builder is not None,
    )
    variables = app_variables(bench.root)
    call = building.Call(
        bench.engine, bench.root, folder, variables, options.builder or os.environ.get("BUILDX_BUILDER")
    )
    outcome = building.build(
        call, bake.additions(bench.catalog, recipes, added), _waves(bench, recipes, options.jobs), tell
    )
    kept = _remember(bench, recipes, chosen, outcome, variables, str(company.bundle) if company else "")
    return Result(chosen, outcome, kept)


def cache_folder() -> Path:
    """Give the one folder below which everything is kept that is worth keeping between runs."""
    return home.default_home().folder.parent


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


def _remember(  # noqa: PLR0913, PLR0917 -- what a record is made of
    bench: Workbench,
    recipes: Sequence[Recipe],
    chosen: Bases,
    outcome: Outcome,
    variables: Mapping[str, str],
    bundle: str,
) -> Record:
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
    kept = Record(engine=engine, helper=helper.digest if helper else old.helper, ca_bundle=bundle, images=images)
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
    read = load(bench, [build.digest for build in new.values()], kept)
    sized = {
        name: dataclasses.replace(build, disk=read[build.digest].disk, pull=read[build.digest].pull)
        for name, build in new.items()
    }
    return dataclasses.replace(kept, images={**kept.images, **sized})


def load(bench: Workbench, names: Sequence[str], kept: Record) -> dict[str, Image]:
    """Read images of the engine, all in one request; layers that were read before are not read again."""
    wanted = list(dict.fromkeys(names))
    looked_for = needles(bench, kept)
    images = Images(bench.client)
    return image.load(
        wanted, describe=images.describe, save=images.save, cache=cache_folder() / "layers", needles=looked_for
    )


def needles(bench: Workbench, kept: Record) -> Needles:
    """Say what no layer may hold: the canary of the build contexts, and the company's certificates."""
    canary = catalog.canary(bench.catalog.stacks[0])
    return Needles.of(canary=canary, company_ca=company_needles(kept))


def company_needles(kept: Record) -> tuple[bytes, ...]:
    """Give the byte strings of the company's certificates that lay over the SDK images of these builds."""
    bundle = Path(kept.ca_bundle)
    return ca.needles(ca.CompanyCa(bundle, "the record of the build")) if kept.ca_bundle and bundle.is_file() else ()


def index(bench: Workbench, recipes: Sequence[Recipe]) -> None:
    """Read the images of these recipes into the cache, in one request. Raises NothingBuiltError if one is missing."""
    kept = record.read(bench.root)
    engine = bench.engine_id
    builds = [record.require(kept, recipe.name, engine) for recipe in recipes]
    load(bench, [kept.images[name].digest for name in _with_siblings(bench, recipes, kept)] + _base_names(builds), kept)


def subject(bench: Workbench, recipe: Recipe, live: Live | None, kept: Record | None = None) -> Subject:
    """Give a built recipe as the subject of its checks; `kept` are the builds to take it from (default: the last).

    Raises NothingBuiltError if it was not built.
    """
    kept = kept or record.read(bench.root)
    build = record.require(kept, recipe.name, bench.engine_id)
    names = _with_siblings(bench, [recipe], kept)
    read = load(bench, [kept.images[name].digest for name in names] + _base_names([build]), kept)
    return _subject(bench, recipe, kept, read, live)


def _with_siblings(bench: Workbench, recipes: Sequence[Recipe], kept: Record) -> list[str]:
    stacks = {recipe.stack.name for recipe in recipes}
    return [each.name for each in bench.catalog.recipes if each.stack.name in stacks and each.name in kept.images]


def _base_names(builds: Sequence[Build]) -> list[str]:
    return list(dict.fromkeys(name for build in builds for name in build.bases.values()))


def _subject(bench: Workbench, recipe: Recipe, kept: Record, read: Mapping[str, Image], live: Live | None) -> Subject:
    build = kept.images[recipe.name]
    siblings = {
        each.variant.name: read[kept.images[each.name].digest]
        for each in bench.catalog.recipes
        if each.stack.name == recipe.stack.name and each.name in kept.images
    }
    return Subject(
        image=read[build.digest],
        stack=recipe.stack,
        variant=recipe.variant,
        labels={
            "version": build.labels["APP_VERSION"],
            "revision": build.labels["APP_COMMIT"],
            "created": build.labels["APP_BUILT"],
        },
        bases={reference: read[name] for reference, name in build.bases.items()},
        siblings=siblings,
        canary=catalog.canary(recipe.stack),
        company_ca=company_needles(kept),
        unit_tests=build.unit_tests,
        live=live,
        dockerfile=dockerfile.read(recipe.dockerfile, recipe.variant.args, recipe.stack.folder),
    )
