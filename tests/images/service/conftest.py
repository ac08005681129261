"""The service of one recipe: a shared container under all restrictions, and others with other settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from stageproof.checks.subject import Subject
from stageproof.live import Live, Options, Request
from stageproof.live.session import Running
from stageproof.model import Recipe

OTHER_PORT = 9191
OTHER_SETTINGS = {
    "PORT": str(OTHER_PORT),
    "LOG_LEVEL": "warning",
    "APP_VERSION": "9.8.7-ä",
    "APP_COMMIT": "c0ffee",
    "APP_BUILT": "2001-02-03T04:05:06Z",
    "CHAOS_UNHEALTHY_AFTER": "0",
}


def ready(running: Running, port: int = 8080) -> Running:
    """Wait until the service says that it is ready."""
    answer = running.answer(Request("/readyz", port=port), lambda answer: answer.status == 200)
    assert answer.status == 200, f"never ready: {answer}\n{running.container.last_lines()}"
    return running


@pytest.fixture(scope="session")
def live(recipe: Recipe, subject_of: Callable[[Recipe], Subject]) -> Live:
    """Give what starts containers of the recipe's image."""
    live = subject_of(recipe).live
    assert live
    return live


@pytest.fixture
def service(live: Live) -> Running:
    """Give the shared container: read-only, without capabilities and network, as any user, with little memory."""
    return ready(live.restricted())


@pytest.fixture(scope="session")
def other(live: Live) -> Iterator[Running]:
    """Give one container with another value of every setting."""
    with live.running(Options(env=OTHER_SETTINGS), look=False) as running:
        yield ready(running, OTHER_PORT)
