"""Java starts from a cache of loaded classes that was made with the image.

The JVM passes over a cache that does not fit, and only starts slower. Where the cache is required, that ends the start.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stageproof.checks.subject import Subject
from stageproof.live import Live, Options, Request
from stageproof.model import Recipe

from .conftest import selected

CACHE = "-XX:AOTCache=/app/qr.aot"
REQUIRED = "-XX:AOTMode=on"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask the recipes whose Dockerfile names the cache."""
    recipes = () if metafunc.config.getoption("--claim") else selected(metafunc.config)
    cached = [each for each in recipes if CACHE in each.dockerfile.read_text()]
    metafunc.parametrize("cached", cached, ids=[each.name for each in cached])


@pytest.fixture
def live(cached: Recipe, subject_of: Callable[[Recipe], Subject]) -> Live:
    """Give what starts containers of the recipe's image."""
    live = subject_of(cached).live
    assert live
    assert CACHE in live.config["Entrypoint"]
    return live


def test_a_cache_that_is_required_is_taken(live: Live) -> None:
    with live.running(Options(env={"JAVA_TOOL_OPTIONS": REQUIRED}), look=False) as running:
        assert running.answer(Request("/readyz"), lambda answer: answer.status == 200).status == 200


def test_a_cache_that_does_not_fit_ends_the_start_where_it_is_required(live: Live) -> None:
    with live.start(Options(env={"JAVA_TOOL_OPTIONS": f"{REQUIRED} -XX:-UseCompressedOops"})) as container:
        state = container.wait_ended(live.limits.start_seconds)
        assert state
        assert state.exit_code == 1
        assert "AOT" in container.last_lines()
