"""Built recipes as the subjects of their checks: images, bases, siblings, Dockerfile, and what they must not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stageproof import catalog, dockerfile, image
from stageproof.checks.subject import Subject
from stageproof.engine import ca, record
from stageproof.engine.images import Images
from stageproof.engine.record import Build, Record
from stageproof.image.needles import Needles
from stageproof.workbench import Workbench, cache_folder

if TYPE_CHECKING:
    from stageproof.image import Image
    from stageproof.live import Live
    from stageproof.model import Recipe


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
