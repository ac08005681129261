"""hang-is-unhealthy: an app that hangs is told by its health command, not only one that says that it is ill."""

from __future__ import annotations

import time

from stageproof.checks.running import ended, last_probe, live_of, turns
from stageproof.checks.subject import Subject, failed, not_applicable, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options
from stageproof.live.options import PROBE_SECONDS
from stageproof.model import Evidence, Finding

ID = "hang-is-unhealthy"
CLAIM = "turns unhealthy when it hangs"
BROKEN = "stays healthy although it hangs"
WHY = "A deadlocked app still has its process and its open port; a probe that only looks at those calls it healthy."
WAITS = True
"""In containers of its own: begun first where several claims are decided at once."""

INTERVAL = 0.5
DO = "let the health command ask the app over HTTP, with a time-out, and fail without a right answer"


def check(subject: Subject, start_seconds: float | None = None) -> Finding:
    """Wait until the engine calls it healthy, stop all its processes, and watch the engine's verdict."""
    live = live_of(subject)
    if not live.health_command:
        return not_applicable(ID, "has no health command, which is the matter of healthcheck-resolves")
    limit = start_seconds if start_seconds is not None else live.limits.start_seconds
    try:
        with live.start(Options(health_seconds=INTERVAL)) as container:
            healthy = turns(container, "healthy", limit + INTERVAL + PROBE_SECONDS)
            if healthy is None:
                message = f"was not healthy within {limit:g} s, which is the matter of health-proof"
                return unknown(ID, message, last_probe(container.state()))
            count, begun = live.hang(container), time.monotonic()
            # One probe may just have been answered; the next may take its time-out.
            unhealthy = turns(container, "unhealthy", 2 * (INTERVAL + PROBE_SECONDS))
            seen = [Evidence(f"healthy {healthy:.1f} s after the start"), Evidence(f"{count} process(es) were stopped")]
            if unhealthy is None:
                return failed(ID, BROKEN, [*seen, *last_probe(container.state())], DO)
            seen.append(Evidence(f"unhealthy {time.monotonic() - begun:.1f} s later"))
            return passed(ID, CLAIM, [*seen, *last_probe(container.state())])
    except ContainerError as error:
        return ended(ID, error, DO)
