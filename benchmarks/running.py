"""What claims about running containers cost, measured in one run and printed as a ratio; nothing here is a test.

    .venv/bin/python benchmarks/running.py P8                      the distroless images
    .venv/bin/python benchmarks/running.py P8 go-plain java-debug   only these

P8   all live claims of a recipe, wall clock / (containers started x 0.16 s + the longest claim)      at most 1.5

The longest claim waits for the image: clients that are shown out after ten seconds, health that turns after three.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from stageproof import catalog, subjects, verify, workbench
from stageproof.engine import record
from stageproof.live import Live, Run
from stageproof.live.run import RUN_LABEL
from stageproof.model import Claim, Finding, Recipe
from stageproof.workbench import Workbench

ROOT = Path(__file__).resolve().parent.parent
AT_ONCE = 3
"""How many claims of one image are decided at the same time: those that wait do not hold the others."""
LIFE_CYCLE = 0.16
"""Seconds for a container's whole life, several of them in parallel on two cores, as it was measured for the goal."""
GOAL = 1.5


def p8(bench: Workbench, recipe: Recipe) -> None:
    """Decide every live claim of a recipe, and compare with what its containers and its longest claim must take."""
    claims = [claim for claim in recipe.variant.claims if verify.needs_container(claim.id)]
    run = Run.new()
    with counted(bench, run) as made:
        begun = time.monotonic()
        findings = decide(bench, recipe, claims, run)
        wall = time.monotonic() - begun
    containers = len(made)
    raw = raw_seconds(bench, containers)
    longest = max(findings, key=lambda finding: finding.seconds)
    bound = containers * LIFE_CYCLE + longest.seconds
    broken = [finding.claim for finding in findings if finding.verdict not in verify.KEPT]
    print(
        f"P8   {recipe.name:<18} {len(claims)} claims, {containers} containers: {wall:.1f} s"
        f" / ({containers} x {LIFE_CYCLE} s + {longest.seconds:.1f} s of {longest.claim}) = {wall / bound:.2f}"
        f"   (goal {GOAL}; as many bare containers, {AT_ONCE} at a time: {raw:.1f} s, so"
        f" {wall / (raw + longest.seconds):.2f}){'   NOT KEPT: ' + ', '.join(broken) if broken else ''}"
    )


def decide(bench: Workbench, recipe: Recipe, claims: list[Claim], run: Run) -> list[Finding]:
    """Decide claims of one image, some at the same time: they share its containers."""
    kept = record.read(ROOT)
    build = record.require(kept, recipe.name, bench.engine_id)
    live = Live(bench.client, build.digest, run=run, helper_image=kept.helper, limits=recipe.stack.limits)
    with live:
        return verify.decide_all(claims, subjects.subject(bench, recipe, live, kept), AT_ONCE)


@contextmanager
def counted(bench: Workbench, run: Run) -> Iterator[list[str]]:
    """Collect the numbers of the containers that a run makes, helpers too, as the engine tells of them."""
    made: list[str] = []
    filters = {"label": f"{RUN_LABEL}={run.id}", "event": "create", "type": "container"}
    events = bench.client.events(decode=True, filters=filters)
    listener = threading.Thread(target=lambda: made.extend(event["id"] for event in events))
    listener.start()
    try:
        yield made
    finally:
        events.close()
        listener.join()


def raw_seconds(bench: Workbench, count: int) -> float:
    """Time as many containers that end at once, by the engine's own calls alone."""
    kept, run = record.read(ROOT), Run.new()

    def live_and_die(_: int) -> None:
        command = ["/tools/busybox", "true"]
        made = bench.client.containers.create(kept.helper, entrypoint=command, network_mode="none", labels=run.labels)
        made.start()
        made.wait()
        made.remove(force=True)

    begun = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(live_and_die, range(count)))
    return time.monotonic() - begun


def main() -> None:
    """Measure what was asked for."""
    numbers = {"P8": p8}
    bench = workbench.open_engine(catalog.read(ROOT), print)
    words = sys.argv[1:]
    recipes = [one for one in bench.catalog.recipes if one.name in words] or bench.catalog.select(variant="distroless")
    for name in [word for word in words if word in numbers] or numbers:
        for recipe in recipes:
            numbers[name](bench, recipe)


if __name__ == "__main__":
    main()
