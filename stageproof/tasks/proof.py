"""`test-all`: every claim of every image that was built."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from stageproof import proofs
from stageproof.engine import record
from stageproof.live import Run, finish
from stageproof.model import Recipe
from stageproof.proofs import Proof
from stageproof.report import grid
from stageproof.tasks.job import command, job, say
from stageproof.tasks.open import workbench_of_this_project
from stageproof.workbench import Workbench

WORKERS = 3
"""How many recipes are proved at once: more only take each other's processors, and are then slow to start and stop."""
_STOP_SECONDS = 10
"""How long the workers of a proof that was stopped may take to end."""


@task(
    name="test-all",
    help={
        "stack": "only this stack",
        "variant": "only this variant",
        "claim": "only this claim, such as no-shell",
        "again": "ask again what was proved before and has not changed since",
    },
)
@job
def prove_all(
    _: Context, stack: str | None = None, variant: str | None = None, claim: str | None = None, again: bool = False
) -> None:
    """Prove what every image claims: pytest over recipe x claim, for the digests of the last build."""
    bench = workbench_of_this_project()
    recipes = bench.catalog.select(stack, variant)
    kept = record.read(bench.root)
    builds = [record.require(kept, recipe.name, bench.engine_id) for recipe in recipes]
    if any(build.stand_ins for build in builds):
        say("bases   stand-ins: what is proved here is proved on them")
    if claim:
        _end(_ask(bench, recipes, ["--claim", claim]))
        return
    keys = proofs.keys(bench.root, recipes, kept, f"{bench.engine_id} {bench.engine.version}")
    before = {} if again else _unchanged(proofs.read(bench.root), keys)
    verdicts = {name: dict(proof.verdicts) for name, proof in before.items()}
    left = [recipe for recipe in recipes if recipe.name not in before]
    code = 0
    if left:
        code, new = _prove(bench, left)
        proofs.remember(bench.root, {recipe.name: keys[recipe.name] for recipe in left}, new if code == 0 else {})
        verdicts |= new
    say(grid.table(recipes, verdicts))
    if before:
        since = min(proof.at for proof in before.values())
        say(f"  {len(before)} of them since {since} UTC: nothing has changed. --again asks them anew.")
    _end(code)


def _end(code: int) -> None:
    if code:
        raise Exit(code=code)


def _unchanged(remembered: Mapping[str, Proof], keys: Mapping[str, str]) -> dict[str, Proof]:
    return {name: remembered[name] for name, key in keys.items() if name in remembered and remembered[name].key == key}


def _prove(bench: Workbench, recipes: Sequence[Recipe]) -> tuple[int, dict[str, dict[str, int]]]:
    """Ask everything of these recipes, and give pytest's exit code and the count of the verdicts."""
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "verdicts.json"
        code = _ask(bench, recipes, ["--verdicts", str(counts)])
        return code, json.loads(counts.read_text(encoding="utf-8")) if counts.exists() else {}


def _ask(bench: Workbench, recipes: Sequence[Recipe], options: Sequence[str]) -> int:
    from stageproof import subjects  # noqa: PLC0415 -- slow to import, and a build needs none of it

    # All images in one request, before the workers start: they find every layer in the index.
    subjects.index(bench, recipes)
    chosen = [f"--recipe={recipe.name}" for recipe in recipes]
    run = Run.new()
    asked = [f"--testrunuid={run.id}", "-n", str(WORKERS), *chosen, *options]
    try:
        return command([sys.executable, "-m", "pytest", "tests/images", "-q", "-rN", *asked])
    except KeyboardInterrupt:
        # pytest kills workers that are not done in time, and what those had started stays.
        finish(bench.client, run.id, _STOP_SECONDS)
        raise
