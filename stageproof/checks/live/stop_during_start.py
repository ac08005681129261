"""stop-during-start: the container ends by itself when it is asked to before it is ready."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from stageproof.checks.running import ended, lines, live_of
from stageproof.checks.subject import Subject, failed, passed
from stageproof.errors import ContainerError
from stageproof.live import Container, Live, Options, State
from stageproof.live.helper.beside import attach
from stageproof.live.wait import until
from stageproof.model import Evidence, Finding

ID = "stop-during-start"
CLAIM = "stops by itself also during its start"
BROKEN = "does not stop by itself during its start"
WHY = "Rollouts are taken back while containers start; one that missed the signal is killed ten seconds later."
WAITS = True
"""In containers of its own: begun first where several claims are decided at once."""

BETWEEN = 0.2
"""Seconds between two signals of one stop."""


@dataclass(frozen=True)
class Attempt:
    """One start, the signals that it was sent, and its end."""

    signals: tuple[str, ...]
    after: float
    """When the first of them was sent, in seconds from the start."""
    state: State | None
    seconds: float
    last: str


def check(
    subject: Subject, seconds: float = 5, env: str = "DRAIN_SECONDS", signals: Sequence[str] = ("SIGTERM", "SIGINT")
) -> Finding:
    """Start it once for each way to stop it, all at the same time, and send the signal at its first sign of life."""
    live = live_of(subject)
    ways = [*((name,) for name in signals), (signals[0], signals[0])]
    options = Options(env={env: "0"} if env else {})
    try:
        begun = live.serving().begun
        speaks = begun is not None and begun.spoke
        with ThreadPoolExecutor(len(ways)) as pool:
            attempts = list(pool.map(lambda way: _attempt(live, options, way, seconds, speaks=speaks), ways))
    except ContainerError as error:
        return ended(ID, error)
    seen = [Evidence(_text(attempt)) for attempt in attempts]
    still = [attempt for attempt in attempts if attempt.state is None]
    if still:
        do = "set the handler before anything else, in the first process"
        return failed(
            ID, f"still ran {seconds:g} s after {' and '.join(still[0].signals)}", seen + lines(still[0].last), do
        )
    return passed(ID, CLAIM, seen)


def _attempt(live: Live, options: Options, signals: tuple[str, ...], seconds: float, *, speaks: bool) -> Attempt:
    with live.start(options) as container:
        _first_sign(live, container, speaks=speaks)
        after = time.monotonic() - container.started
        state = None
        for number, name in enumerate(signals):
            state = container.wait_ended(BETWEEN) if number else None
            if state:
                break
            _send(container, name)
        begun = time.monotonic()
        state = state or container.wait_ended(seconds)
        return Attempt(signals, after, state, time.monotonic() - begun, container.last_lines())


def _first_sign(live: Live, container: Container, *, speaks: bool) -> None:
    """Wait for its first words, or for its first socket if it says nothing at its start."""
    if speaks:
        until(lambda: container.output() or not container.state().running, live.limits.start_seconds)
        return
    with attach(container, live.helper_image, live.run) as helper:
        container.wait_for(lambda: helper.sockets() or None, live.limits.start_seconds, "something listens in it")


def _send(container: Container, name: str) -> None:
    try:
        container.signal(name)
    except ContainerError:
        if container.state().running:
            raise


def _text(attempt: Attempt) -> str:
    sent = f"{' and '.join(attempt.signals)} {attempt.after:.2f} s after the start"
    if attempt.state is None:
        return f"{sent}: still runs"
    return f"{sent}: ended {attempt.seconds:.2f} s later with exit code {attempt.state.exit_code}"
