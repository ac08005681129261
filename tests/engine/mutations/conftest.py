"""Recipes with one thing wrong: a changed Dockerfile, built on the same bases, asked about every claim."""

from __future__ import annotations

import dataclasses
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stageproof import builds, subjects, verify, workbench
from stageproof.catalog import Catalog
from stageproof.engine import build as building
from stageproof.engine import record
from stageproof.live import Live
from stageproof.live.run import Run
from stageproof.model import Finding, Recipe
from stageproof.workbench import Workbench

Change = tuple[str, str]
"""A text of the Dockerfile, and what takes its place."""


@pytest.fixture(scope="session")
def bench(project: Catalog) -> Workbench:
    return workbench.open_engine(project, lambda _: None)


@pytest.fixture
def broken_claims(
    bench: Workbench, request: pytest.FixtureRequest
) -> Iterator[Callable[[str, list[Change]], dict[str, Finding]]]:
    """Build a recipe with changes, and give the claims of its contract that do not hold."""
    folder = bench.root / record.FOLDER / "mutations" / request.node.name
    tag = f"stageproof/mutation:{zlib.crc32(request.node.name.encode()):08x}"

    def broken(name: str, changes: list[Change]) -> dict[str, Finding]:
        (recipe,) = (each for each in bench.catalog.recipes if each.name == name)
        digest = _build(bench, recipe, _changed(recipe, changes), folder, tag)
        kept = record.read(bench.root)
        mutated = dataclasses.replace(kept.images[name], digest=digest)
        kept = dataclasses.replace(kept, images={**kept.images, name: mutated})
        with Live(bench.client, digest, run=Run.new(), helper_image=kept.helper, limits=recipe.stack.limits) as live:
            subject = subjects.subject(bench, recipe, live, kept)
            claims = [claim for claim in recipe.variant.claims if not verify.is_reported_only(claim)]
            findings = verify.decide_all(claims, subject, verify.AT_ONCE)
        return {finding.claim: finding for finding in findings if finding.verdict not in verify.KEPT}

    yield broken
    shutil.rmtree(folder, ignore_errors=True)
    if bench.client.images.list(tag):
        bench.client.images.remove(tag, force=True)


def _changed(recipe: Recipe, changes: list[Change]) -> str:
    text = recipe.dockerfile.read_text()
    for before, after in changes:
        assert before in text, f"{recipe.dockerfile} has no {before!r}: the mutation changes nothing"
        text = text.replace(before, after)
    return text


def _build(bench: Workbench, recipe: Recipe, text: str, folder: Path, tag: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    changed = folder / recipe.dockerfile.name
    changed.write_text(text)
    ignore = Path(f"{recipe.dockerfile}.dockerignore")
    shutil.copy(ignore, folder / ignore.name)
    # The same bases and the same company CA as in the build that is compared with.
    siblings = bench.catalog.select(recipe.stack.name)
    additions = dict(builds.plan(bench, siblings, builds.Options(), lambda _: None).additions)
    target = additions["target"][recipe.name]
    contexts = [additions["target"][name].get("contexts", {}) for name in (f"{recipe.stack.name}-debug", recipe.name)]
    changes = {"dockerfile": str(changed), "tags": [tag], "contexts": contexts[0] | contexts[1]}
    additions["target"][recipe.name] = target | changes
    call = building.Call(bench.engine, bench.root, folder, builds.app_variables(bench.root))
    outcome = building.build(call, additions, [[recipe.name]], lambda _: None)
    assert not outcome.failed, [failed.seen for failed in outcome.failed.values()]
    return outcome.built[recipe.name].digest
