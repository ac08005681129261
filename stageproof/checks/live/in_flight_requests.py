"""in-flight-requests: what was asked before the stop is answered before the end."""

from __future__ import annotations

from dataclasses import dataclass

from stageproof.checks.running import ended, live_of
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Answer, Live, Options, Request, State
from stageproof.live.session import Running
from stageproof.model import Evidence, Finding, Verdict

ID = "in-flight-requests"
CLAIM = "finishes the requests in flight before it ends"
BROKEN = "drops requests in flight when it is told to stop"
WHY = "Every dropped request is an error that a user sees at every deployment."
WAITS = True
"""In containers of its own: begun first where several claims are decided at once."""

OK = 200
PATIENCE = 4
"""How many times slower the requests of a second attempt are."""
SHUTDOWN_SECONDS = 10.0
"""How long after the slowest answer the container may still take to end."""


@dataclass(frozen=True)
class Flight:
    """The requests that the app had taken up when the signal came, and their answers."""

    signalled: float
    answers: list[Answer]
    state: State | None


def check(  # noqa: PLR0913, PLR0917 -- the parameters of the contract
    subject: Subject,
    path: str = "/qr?text=in-flight",
    env: str = "CHAOS_DELAY",
    delay: int = 1,
    requests: int = 4,
    drain_env: str = "DRAIN_SECONDS",
    readiness: str = "/readyz",
) -> Finding:
    """Open slow requests, wait until the app has taken them up, send the stop signal, and see how they are answered."""
    live = live_of(subject)
    held = Request(path, port=live.port, seconds=PATIENCE * delay + SHUTDOWN_SECONDS)
    try:
        finding = _attempt(live, [held] * requests, {env: delay, drain_env: 0}, delay, readiness)
        if finding.verdict is Verdict.UNKNOWN:
            # Once more, with slower requests: on a busy machine the signal may have come too late for the first ones.
            slower = PATIENCE * delay
            finding = _attempt(live, [held] * requests, {env: slower, drain_env: 0}, slower, readiness)
    except ContainerError as error:
        return ended(ID, error)
    return finding


def _attempt(live: Live, requests: list[Request], env: dict[str, int], delay: int, readiness: str) -> Finding:
    given = {name: str(value) for name, value in env.items() if name}
    with live.running(Options(env=given), look=False) as running:
        first = running.answer(Request(readiness, port=live.port), lambda answer: answer.status == OK)
        if first.status != OK:
            return failed(ID, f"GET {readiness} never gave 200 before the stop", [Evidence(str(first))])
        flight = _fly(live, running, requests, delay)
        return _judge(live, flight, running.container.last_lines())


def _fly(live: Live, running: Running, requests: list[Request], delay: float) -> Flight:
    helper, container = running.helper, running.container
    number, taken = helper.hold(requests, delay / 2)
    container.signal(live.stop_signal)
    signalled = helper.clock()
    answers = helper.collect(number, delay + SHUTDOWN_SECONDS)
    state = container.wait_ended(SHUTDOWN_SECONDS)
    return Flight(signalled, [answer for answer, up in zip(answers, taken, strict=True) if up], state)


def _judge(live: Live, flight: Flight, last: str) -> Finding:
    if not flight.answers:
        return unknown(ID, "the app took up none of the requests before it was told to stop")
    early = [answer for answer in flight.answers if answer.status and answer.ended < flight.signalled]
    if early:
        message = f"{len(early)} requests were answered before {live.stop_signal}, so they were not in flight"
        return unknown(ID, message, do="give `path` and `env` so that a request takes at least `delay` seconds")
    evidence = [
        Evidence(f"{one}, {one.ended - flight.signalled:.2f} s after {live.stop_signal}") for one in flight.answers
    ]
    lines = [Evidence(line) for line in last.splitlines()]
    dropped = sum(answer.status != OK for answer in flight.answers)
    if dropped:
        do = "stop accepting, then wait for what has been accepted"
        return failed(ID, f"dropped {dropped} of {len(flight.answers)} requests in flight", evidence + lines, do)
    if flight.state is None or flight.state.exit_code != 0:
        how = f"ended with exit code {flight.state.exit_code}" if flight.state else "did not end"
        return failed(ID, f"answered the requests in flight, but then {how}", evidence + lines)
    return passed(ID, f"{CLAIM}: {len(flight.answers)} of {len(flight.answers)}", evidence)
