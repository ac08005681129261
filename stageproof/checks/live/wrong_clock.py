"""wrong-clock: the image serves, and stops in time, with a wall clock years ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from stageproof import faketime
from stageproof.checks.running import answered, lines, live_of
from stageproof.checks.subject import Subject, failed, not_applicable, passed, unknown
from stageproof.checks.times import Told, told
from stageproof.errors import ContainerError
from stageproof.live import Live, Options, Request, Running
from stageproof.model import Evidence, Finding

ID = "wrong-clock"
CLAIM = "serves and stops with a clock years ahead"
BROKEN = "does not serve, or not stop, with a clock years ahead"
WHY = "Machines start with wrong clocks; a deadline that is a time of the day is then over at once, or never."
WAITS = True
"""In containers of its own: begun first where several claims are decided at once."""
ON_REQUEST = True
"""Only asked where a contract names it: it needs an image that is built for it."""

YEAR = 365
NEAR = timedelta(days=2)
"""How far from the expected a time may be that was told by the moved clock."""
SHOWN = 2
DO = "measure time-outs by a monotonic clock, and refuse nothing for a date alone"


@dataclass(frozen=True)
class Attempt:
    """One start with the library, and how it went."""

    trouble: str
    """Empty: it answered, and ended in time."""
    seen: Sequence[Evidence]
    printed: str
    times: Sequence[Told] = ()


def check(
    subject: Subject, path: str = "/", seconds: float = 5, years: int = 10, env: str = "DRAIN_SECONDS"
) -> Finding:
    """Start it with the clock ahead, wait for an answer, stop it; where that fails, once more with the right clock."""
    live = live_of(subject)
    obstacle = faketime.obstacle(subject.image)
    if obstacle:
        return not_applicable(ID, obstacle)
    own = {env: "1"} if env else {}
    with faketime.library(live) as volume:
        request = Request(path, port=live.port)
        ahead = _attempt(live, volume, own | faketime.shifted(subject.image, years * YEAR), request, seconds)
        refused = [line for line in ahead.printed.splitlines() if faketime.LIBRARY in line]
        if refused:
            return unknown(ID, "libfaketime cannot be loaded into its program", lines("\n".join(refused)))
        if ahead.trouble:
            right = _attempt(live, volume, own | faketime.shifted(subject.image, 0), request, seconds)
            return _broken(ahead, right, years)
    return _held(ahead, timedelta(days=years * YEAR))


def _broken(ahead: Attempt, right: Attempt, years: int) -> Finding:
    """Tell what the clock broke from what the library breaks, or is broken anyway."""
    if right.trouble:
        wrong = [Evidence(f"with a clock {years} years ahead: {ahead.trouble}"), *ahead.seen]
        seen = [*wrong, Evidence(f"with the right clock: {right.trouble}"), *right.seen]
        return unknown(ID, "with libfaketime it does no better when the clock is right", seen)
    control = Evidence("control: with libfaketime and the right clock it answered, and ended in time")
    return failed(ID, f"with a clock {years} years ahead: {ahead.trouble}", [*ahead.seen, control], DO)


def _held(ahead: Attempt, shift: timedelta) -> Finding:
    moved = [one for one in ahead.times if abs(one.ahead - shift) < NEAR]
    if not moved:
        at = [Evidence(f"at {one.true:%Y-%m-%d} it wrote: {one.text}") for one in ahead.times[-SHOWN:]]
        message = "whether its program saw the moved clock cannot be seen: it told no time of that clock"
        return unknown(ID, message, at or [Evidence("neither its log nor its answers hold a time")])
    control = [Evidence(f"control: at {one.true:%Y-%m-%d} it wrote: {one.text}") for one in moved[-SHOWN:]]
    return passed(ID, CLAIM, [*ahead.seen, *control])


def _attempt(live: Live, volume: str, env: Mapping[str, str], request: Request, seconds: float) -> Attempt:
    try:
        with live.running(Options(env=env, volumes_of=volume), look=False) as running:
            answer = running.answer(request, answered)
            seen = [Evidence(f"{request.method} {request.target!s} gives {answer}")]
            if not answered(answer):
                last = running.container.last_lines()
                return Attempt(seen[0].text, lines(last), last)
            times = told(running.container, answer)
            trouble, end = _stop(live, running, seconds)
            printed = running.container.output().decode(errors="replace")
            return Attempt(trouble, [*seen, *end], printed, times)
    except ContainerError as error:
        return Attempt(error.failed, lines(error.seen), error.seen)


def _stop(live: Live, running: Running, seconds: float) -> tuple[str, list[Evidence]]:
    begun = running.helper.clock()
    running.container.signal(live.stop_signal)
    state = running.container.wait_ended(seconds)
    if state is None:
        return f"still ran {seconds:g} s after {live.stop_signal}", lines(running.container.last_lines())
    took = running.helper.clock() - begun
    return "", [Evidence(f"ended {took:.2f} s after {live.stop_signal} with exit code {state.exit_code}")]
