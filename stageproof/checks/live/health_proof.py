"""health-proof: the health command tells a working container from a failing one."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from stageproof.checks.running import cannot_run, ended, last_probe, live_of, turns
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError, Error
from stageproof.live import Live, Options, State
from stageproof.live.options import PROBE_SECONDS
from stageproof.model import Evidence, Finding

ID = "health-proof"
CLAIM = "turns healthy, and unhealthy when it is told to fail"
BROKEN = "does not turn healthy and then unhealthy"
WHY = "A health check that cannot fail proves nothing, and one that cannot pass stops every rollout."
WAITS = True
"""In containers of its own: begun first where several claims are decided at once."""

INTERVAL = 0.5
"""How often the engine asks here: the image's own interval is for production, and far too slow to wait for."""
FIRST_TRY = 3
QUICK = 1.0


@dataclass(frozen=True)
class Seen:
    """When the container was healthy and unhealthy, in seconds from its start; None: never."""

    healthy: float | None
    unhealthy: float | None
    state: State
    command: list[str]


def check(subject: Subject, env: str = "CHAOS_UNHEALTHY_AFTER", start_seconds: float | None = None) -> Finding:
    """Start it so that it fails after a while, and watch the engine's verdict; a slow start gets a second try."""
    live = live_of(subject)
    command = live.health_command
    if not command:
        return failed(ID, "has no health command", do="add HEALTHCHECK with the app's self-probe, in exec form")
    limit = start_seconds if start_seconds is not None else live.limits.start_seconds
    try:
        after = _first_try(live)
        seen = _watch(live, {env: str(after)}, after, after)
        if seen.healthy is None and cannot_run(seen.state):
            return failed(
                ID, "its health command cannot be run", _evidence(seen), "name a program that is in the image"
            )
        if seen.healthy is None:
            calm = _watch(live, {}, limit, None)
            if calm.healthy is None:
                message = f"never turned healthy within {limit:g} s"
                return failed(ID, message, _evidence(calm), "run its health command by hand")
            after = math.ceil(2 * calm.healthy) + FIRST_TRY
            seen = _watch(live, {env: str(after)}, after, after)
    except ContainerError as error:
        return ended(ID, error)
    return _judge(seen, command, env, after)


def _first_try(live: Live) -> int:
    """Give the seconds after which it is told to fail: a few, and more where the shared container was slow to start."""
    try:
        begun = live.serving().begun
    except Error:
        return FIRST_TRY  # whatever that is, the container that is watched will show it
    return FIRST_TRY + (math.ceil(2 * begun.seconds) if begun and begun.seconds > QUICK else 0)


def _judge(seen: Seen, command: list[str], env: str, after: float) -> Finding:
    if seen.command != command:
        message = f"the engine did not run the image's own health command, but {seen.command}"
        return unknown(ID, message)
    if seen.healthy is None:
        return unknown(ID, f"did not turn healthy within {after:g} s, although it did without {env}", _evidence(seen))
    if seen.unhealthy is None:
        do = f"let the command ask the app, and the app answer 503 when {env} says so"
        return failed(ID, f"stayed healthy although it was told to fail after {after:g} s", _evidence(seen), do)
    return passed(ID, CLAIM, _evidence(seen))


def _evidence(seen: Seen) -> list[Evidence]:
    lines = [f"the health command is {seen.command}"]
    if seen.healthy is not None:
        lines.append(f"healthy {seen.healthy:.1f} s after the start")
    if seen.unhealthy is not None:
        lines.append(f"unhealthy {seen.unhealthy:.1f} s after the start")
    return [*(Evidence(line) for line in lines), *last_probe(seen.state)]


def _watch(live: Live, env: dict[str, str], healthy_within: float, fails_after: float | None) -> Seen:
    """Start a container and note when the engine calls it healthy, and then unhealthy."""
    with live.start(Options(env=env, health_seconds=INTERVAL)) as container:
        healthy = turns(container, "healthy", healthy_within + INTERVAL + (0 if fails_after else PROBE_SECONDS))
        unhealthy = None
        if healthy is not None and fails_after is not None:
            # The app's own clock began some time before it was healthy, and nobody knows when.
            left = fails_after + healthy - (time.monotonic() - container.started)
            unhealthy = turns(container, "unhealthy", max(0.0, left) + INTERVAL + PROBE_SECONDS)
        command = container.inspect()["Config"]["Healthcheck"]["Test"]
        return Seen(healthy, unhealthy, container.state(), list(command))
