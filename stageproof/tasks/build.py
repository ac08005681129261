"""`build-all` and `build`: images from recipes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from stageproof import builds
from stageproof.builds import Options, Result
from stageproof.catalog import known
from stageproof.engine import bases
from stageproof.engine import build as building
from stageproof.errors import UsageError
from stageproof.model import Recipe
from stageproof.report import tables
from stageproof.tasks.job import job, say, say_error
from stageproof.tasks.open import workbench_of_this_project
from stageproof.tasks.progress import Screen

_HELP = {
    "stack": "only this stack",
    "variant": "only this variant",
    "jobs": "at most so many recipes at once (default: as many as the engine's memory allows)",
    "builder": "the buildx builder to use (default: the engine's own, or BUILDX_BUILDER)",
    "bases": "auto (real images where a registry answers), registry, or stand-in",
    "no-cache": "build every step again",
    "ca-file": "your company's certificates, for the SDK images only (default: what the host's TLS variables name)",
}


@task(name="build-all", help=_HELP)
@job
def build_all(  # noqa: PLR0913, PLR0917 -- a parameter is an option
    _: Context,
    stack: str | None = None,
    variant: str | None = None,
    jobs: int | None = None,
    builder: str | None = None,
    bases: str = "auto",
    no_cache: bool = False,
    ca_file: str | None = None,
) -> None:
    """Build every image, and run every stack's unit tests."""
    options = Options(bases=bases, builder=builder, jobs=jobs, no_cache=no_cache, ca_file=ca_file)
    _build(stack, variant, options)


@task(help=_HELP)
@job
def build(  # noqa: PLR0913, PLR0917 -- a parameter is an option
    _: Context,
    stack: str,
    variant: str | None = None,
    jobs: int | None = None,
    builder: str | None = None,
    bases: str = "auto",
    no_cache: bool = False,
    ca_file: str | None = None,
) -> None:
    """Build one stack, or one of its variants."""
    options = Options(bases=bases, builder=builder, jobs=jobs, no_cache=no_cache, ca_file=ca_file)
    _build(stack, variant, options)


def _build(stack: str | None, variant: str | None, options: Options) -> None:
    known("kind of bases", options.bases, bases.MODES)
    if options.jobs is not None and options.jobs < 1:
        failed = f"--jobs takes a whole number from 1 on, and {options.jobs} is none"
        raise UsageError(failed)
    begun = time.monotonic()
    bench = workbench_of_this_project()
    recipes = bench.catalog.select(stack, variant)
    say(f"engine  {bench.engine.kind} {bench.engine.version}")
    with Screen(recipes) as screen:
        result = builds.build(bench, recipes, options, tell=screen.step, progress=screen.line)
    _report(recipes, result, time.monotonic() - begun)


def _report(recipes: Sequence[Recipe], result: Result, seconds: float) -> None:
    rows = {recipe.name: result.record.images[recipe.name] for recipe in recipes if recipe.name in result.outcome.built}
    say(tables.builds(recipes, rows))
    names = {recipe.name for recipe in recipes}
    images = sum(1 for name in result.outcome.built if name in names)
    say(f"  {images} images in {tables.duration(seconds)}. {tables.stand_in_sentence(result.bases.stand_ins)}".rstrip())
    errors = [building.failure_text(failed) for failed in result.outcome.failed.values()]
    for error in errors:
        say_error(error)
    if errors:
        # One that says nothing about its Dockerfile counts more than an answer, which is 1.
        raise Exit(code=max(error.exit_code for error in errors))
    say("  next: invoke test-all")
