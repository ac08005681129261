"""The service of one recipe: a shared container under all restrictions, and others with other settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

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

SLOW_CLIENTS = 50
HALF_A_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


@dataclass(frozen=True)
class Slow:
    """A container with slow clients."""

    running: Running
    silent: list[int]
    """Connections that sent half of their headers and then nothing."""
    dripping: int
    """One that sends a byte every half second, so that no time-out between two bytes ever ends."""
    opened: float


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
def service(live: Live, slow: Slow) -> Running:  # noqa: ARG001 -- opened first, so that nobody has to wait for its end
    """Give the shared container: read-only, without capabilities and network, as any user, with little memory."""
    return ready(live.restricted())


@pytest.fixture(scope="session")
def other(live: Live) -> Iterator[Running]:
    """Give one container with another value of every setting."""
    with live.running(Options(env=OTHER_SETTINGS), look=False) as running:
        yield ready(running, OTHER_PORT)


@pytest.fixture(scope="session")
def slow(live: Live) -> Iterator[Slow]:
    """Open the slow connections once: it takes ten seconds until the service closes them."""
    with live.running(Options(), look=False) as running:
        ready(running)
        opened = running.helper.clock()
        silent = [running.helper.keep(Request(bytes_=HALF_A_REQUEST), answered=False) for _ in range(SLOW_CLIENTS)]
        drip = Request(bytes_=HALF_A_REQUEST + b"x" * 100, piece=1, pause=0.5, seconds=60)
        dripping, _ = running.helper.hold([drip], 0)
        yield Slow(running, silent, dripping, opened)
