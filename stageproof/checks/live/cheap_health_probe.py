"""cheap-health-probe: asking for its health costs next to nothing."""

from __future__ import annotations

from stageproof.checks.running import ended, live_of, restricted
from stageproof.checks.subject import Subject, failed, not_applicable, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options, Running, cgroup
from stageproof.live.options import NANOSECONDS
from stageproof.model import Evidence, Finding

ID = "cheap-health-probe"
CLAIM = "has a health command that costs next to nothing"
BROKEN = "has a health command that costs too much"
WHY = "It runs day and night beside the app, in the app's own memory and processor limits."

DEFAULT_INTERVAL = 30.0
"""Seconds, as engines have it where an image says nothing."""
DO = "ask with a small program of your own, in exec form, and not with a runtime of its own, or less often"


def check(subject: Subject, path: str = "/", runs: int = 3, share: float = 0.1) -> Finding:
    """Run it some times under all restrictions, and compare its processor time with its interval."""
    live = live_of(subject)
    command = live.health_command
    if not command:
        return not_applicable(ID, "has no health command, which is the matter of healthcheck-resolves")
    words = command[1:] if command[0] == "CMD" else ["/bin/sh", "-c", command[1]]
    interval = (live.config["Healthcheck"].get("Interval") or DEFAULT_INTERVAL * NANOSECONDS) / NANOSECONDS
    try:
        with restricted(live, Options(), path) as (running, _), running.turn:
            codes, taken = _run(running, words, runs)
    except ContainerError as error:
        return ended(ID, error)
    each = taken / runs
    seen = [
        Evidence(f"{' '.join(words)}: {runs} runs under all restrictions ended with {sorted(set(codes))}"),
        Evidence(f"{each * 1000:.0f} ms of processor time a run, every {interval:g} s: {each / interval:.1%}"),
    ]
    if any(codes):
        return failed(ID, "has a health command that does not work under restrictions", seen)
    if taken <= 0:
        return unknown(ID, "the kernel counted no processor time for it", seen)
    if each > share * interval:
        return failed(ID, f"{BROKEN}: {each:.2f} s every {interval:g} s", seen, DO)
    return passed(ID, CLAIM, seen)


def _run(running: Running, words: list[str], runs: int) -> tuple[list[int], float]:
    before = cgroup.cpu_seconds(running.helper)
    codes = [running.container.execute(words)[0] for _ in range(runs)]
    return codes, cgroup.cpu_seconds(running.helper) - before
