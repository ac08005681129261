"""`rebuild`: the same sources once more, without the cache, compared with what was built before."""

from __future__ import annotations

import dataclasses

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from stageproof import builds, subjects, verify
from stageproof.engine import build as building
from stageproof.engine import record
from stageproof.engine.record import Record
from stageproof.model import Claim, Recipe, Verdict
from stageproof.report import sentences
from stageproof.tasks.job import job, say, say_error
from stageproof.tasks.open import workbench_of_this_project
from stageproof.tasks.progress import Screen
from stageproof.workbench import Workbench


@task(help={"stack": "only this stack", "variant": "only this variant"})
@job
def rebuild(_: Context, stack: str | None = None, variant: str | None = None) -> None:
    """Build again without the cache, and compare: the same sources must give the same files."""
    bench = workbench_of_this_project()
    recipes = bench.catalog.select(stack, variant)
    first = record.read(bench.root)
    for recipe in recipes:
        record.require(first, recipe.name, bench.engine_id)
    with Screen(recipes) as screen:
        options = builds.Options(no_cache=True)
        result = builds.build(bench, recipes, options, tell=screen.step, progress=screen.line)
    for failed in result.outcome.failed.values():
        say_error(building.failure_text(failed))
    compared = [_compared(bench, recipe, first) for recipe in recipes if recipe.name in result.outcome.built]
    if result.outcome.failed or not all(compared):
        raise Exit(code=1)


def _compared(bench: Workbench, recipe: Recipe, first: Record) -> bool:
    """Say how a recipe's new image differs from the one before; True if it does not."""
    before = first.images[recipe.name].digest
    subject = subjects.subject(bench, recipe, None)
    second = subjects.load(bench, [before], first)[before]
    claim = Claim("reproducible", {"varying": recipe.stack.varying})
    finding = verify.decide(claim, dataclasses.replace(subject, second=second))
    if finding.verdict is not Verdict.PASS:
        say(sentences.failure(recipe.name, finding))
        return False
    say(sentences.headline(f"✔ {recipe.name} {finding.message}", claim.id))
    for line in sentences.lines(finding.evidence):
        say(f"    {line}")
    return True
