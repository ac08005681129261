"""Recipe x claim: which recipes are asked, their subjects, and the table of what came out."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from stageproof import catalog, subjects, workbench
from stageproof.checks.subject import Subject
from stageproof.engine import record
from stageproof.interruption import sigterm_as_interrupt
from stageproof.live.run import Run
from stageproof.live.session import Live
from stageproof.model import Recipe
from stageproof.report import grid
from stageproof.workbench import Workbench

ROOT = Path(__file__).resolve().parent.parent.parent
RECIPE, VERDICT = "recipe", "verdict"
VERDICTS = {"passed": "pass", "failed": "fail", "error": "unknown"}
"""What a test that gives no finding tells: one that could not even begin leaves its question open."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the same choices as `invoke test-all`."""
    parser.addoption("--stack", help="only this stack")
    parser.addoption("--variant", help="only this variant")
    parser.addoption("--claim", help="only this claim")
    parser.addoption("--recipe", action="append", default=[], help="only these recipes, such as go-distroless")
    parser.addoption("--verdicts", type=Path, help="count the verdicts in this file instead of a table")
    parser.addoption("--project", type=Path, default=ROOT, help="the folder whose recipes are asked")


def selected(config: pytest.Config) -> tuple[Recipe, ...]:
    """Give the recipes that were asked for, stack after stack, so that two of a heavy stack rarely start together."""
    chosen = _read(config.getoption("--project")).select(config.getoption("--stack"), config.getoption("--variant"))
    named = config.getoption("--recipe") or [recipe.name for recipe in chosen]
    return tuple(sorted((each for each in chosen if each.name in named), key=lambda recipe: recipe.variant.order))


_read = cache(catalog.read)


class ByRecipe(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Sends all tests of one recipe to one worker: they share its containers.

    pytest-xdist's own `loadgroup` passes over its marks with the pytest of the lock file.
    """

    def _split_scope(self, nodeid: str) -> str:
        parameter = nodeid.partition("[")[2]
        names = (recipe.name for recipe in selected(self.config))
        return next((name for name in names if parameter.startswith(name)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRecipe:
    """Hand the tests out by recipe."""
    return ByRecipe(config, log)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask every test about every recipe."""
    only = metafunc.config.getoption("--claim")
    if "claim" in metafunc.fixturenames:
        pairs = [
            (recipe, claim)
            for recipe in selected(metafunc.config)
            for claim in recipe.variant.claims
            if only in (None, claim.id)
        ]
        metafunc.parametrize(
            ("recipe", "claim"),
            pairs,
            ids=[f"{recipe.name} {claim.id}" for recipe, claim in pairs],
            scope="session",
        )
    elif "recipe" in metafunc.fixturenames:
        recipes = [] if only else selected(metafunc.config)
        metafunc.parametrize(
            "recipe",
            recipes,
            ids=[recipe.name for recipe in recipes],
            scope="session",
        )


@pytest.fixture(scope="session")
def bench(project: catalog.Catalog) -> Workbench:
    """Give the engine that holds the builds."""
    return workbench.open_engine(project, lambda _: None)


@pytest.fixture(scope="session")
def run_of_tests() -> Run:
    """Give the labels of everything that this worker starts."""
    return Run.new(os.environ.get("PYTEST_XDIST_TESTRUNUID", "")[:8])


@pytest.fixture(scope="session")
def subject_of(bench: Workbench, run_of_tests: Run) -> Iterator[Callable[[Recipe], Subject]]:
    """Give the subject of a recipe; its image is read once, and its containers are removed at the end."""
    open_ones: dict[str, Subject] = {}
    kept = record.read(bench.root)

    def subject(recipe: Recipe) -> Subject:
        if recipe.name not in open_ones:
            build = record.require(kept, recipe.name, bench.engine_id)
            live = Live(
                bench.client, build.digest, run=run_of_tests, helper_image=kept.helper, limits=recipe.stack.limits
            )
            # Only one recipe's containers at a time: a worker is asked about one recipe after the other.
            for other in open_ones.values():
                if other.live:
                    other.live.close()
            open_ones[recipe.name] = subjects.subject(bench, recipe, live)
        return open_ones[recipe.name]

    with sigterm_as_interrupt():
        yield subject
    for each in open_ones.values():
        if each.live:
            each.live.close()


@pytest.fixture(scope="session")
def image_source(recipe: Recipe, bench: Workbench) -> str:
    """Name the image for the fixtures of Stageproof's own plugin: image, container, host, prove."""
    return record.require(record.read(bench.root), recipe.name, bench.engine_id).digest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say which recipe a test is about."""
    report = yield
    parameters = getattr(item, "callspec", None)
    recipe = parameters.params.get("recipe") if parameters else None
    if recipe and RECIPE not in dict(report.user_properties):
        report.user_properties.append((RECIPE, recipe.name))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Count the verdicts of each recipe: for the file that was asked for, or as a table of stack x variant."""
    counts: dict[str, Counter[str]] = {}
    for outcome, verdict in VERDICTS.items():
        for report in terminalreporter.stats.get(outcome, ()):
            properties = dict(report.user_properties)
            if RECIPE in properties:
                counts.setdefault(properties[RECIPE], Counter())[properties.get(VERDICT) or verdict] += 1
    if config.getoption("--verdicts"):
        config.getoption("--verdicts").write_text(json.dumps(counts), encoding="utf-8")
    elif counts:
        terminalreporter.write_line(grid.table(selected(config), counts))
