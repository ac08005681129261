"""`test-all`: every claim of every image that was built."""

from __future__ import annotations

import sys

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from stageproof import workbench
from stageproof.engine import record
from stageproof.tasks.job import command, job, say
from stageproof.tasks.open import workbench_of_this_project


@task(
    name="test-all",
    help={"stack": "only this stack", "variant": "only this variant", "claim": "only this claim, such as no-shell"},
)
@job
def prove_all(_: Context, stack: str | None = None, variant: str | None = None, claim: str | None = None) -> None:
    """Prove what every image claims: pytest over recipe x claim, for the digests of the last build."""
    bench = workbench_of_this_project()
    recipes = bench.catalog.select(stack, variant)
    kept = record.read(bench.root)
    builds = [record.require(kept, recipe.name, bench.engine_id) for recipe in recipes]
    if any(build.stand_ins for build in builds):
        say("bases   stand-ins: what is proved here is proved on them")
    # All images in one request, before the workers start: they find every layer in the index.
    workbench.index(bench, recipes)
    words = [sys.executable, "-m", "pytest", "tests/images", "-q", "-rN", "-n", "4"]
    for option, value in (("--stack", stack), ("--variant", variant), ("--claim", claim)):
        words += [option, value] if value else []
    code = command(words)
    if code:
        raise Exit(code=code)
