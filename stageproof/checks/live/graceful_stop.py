"""graceful-stop: the container ends by itself, in time, when it is asked to."""

from __future__ import annotations

from dataclasses import dataclass

from stageproof.checks.running import ended, live_of
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Answer, Live, Options, Request, State
from stageproof.live.session import Running
from stageproof.live.wait import until
from stageproof.model import Evidence, Finding, Verdict

ID = "graceful-stop"
CLAIM = "stops by itself when it is told to"
BROKEN = "does not stop by itself when it is told to"
WHY = "What does not stop is killed after ten seconds, in the middle of its work, at every deployment."
WAITS = True
"""In containers of its own: begun first where several claims are decided at once."""

OK, UNAVAILABLE = 200, 503


@dataclass(frozen=True)
class Stop:
    """What was seen between the signal and the end."""

    state: State | None
    """None: it still ran at the deadline."""
    seconds: float
    not_ready_after: float | None
    """When readiness turned 503; None: never seen."""
    still_answered: Answer | None
    """What another path said after readiness was off."""


def check(  # noqa: PLR0913, PLR0917 -- the parameters of the contract
    subject: Subject,
    seconds: float = 3,
    readiness: str = "/readyz",
    path: str = "/",
    env: str = "DRAIN_SECONDS",
    drain: int = 1,
) -> Finding:
    """Send the stop signal while idle connections are open; watch readiness, the end, and its exit code."""
    live = live_of(subject)
    options = Options(env={env: str(drain)} if env else {})
    try:
        finding = _attempt(live, options, seconds, readiness, path)
        if finding.verdict is Verdict.FAIL:
            # Once more: what was too late may have been late because the machine was busy.
            finding = _attempt(live, options, seconds, readiness, path)
    except ContainerError as error:
        return ended(ID, error)
    return finding


def _attempt(live: Live, options: Options, seconds: float, readiness: str, path: str) -> Finding:
    ready = Request(readiness or path, port=live.port)
    with live.running(options, look=False) as running:
        first = running.answer(ready, lambda answer: answer.status == OK)
        if first.status != OK:
            return failed(ID, f"GET {ready.target!s} never gave 200 before the stop", [Evidence(str(first))])
        for _ in range(2):
            running.helper.keep(Request(path, port=live.port, keep_alive=True))
        stop = _stop(live, running, ready if readiness else None, Request(path, port=live.port), seconds)
        return _judge(live, stop, seconds, readiness, running.container.last_lines())


def _stop(live: Live, running: Running, ready: Request | None, other: Request, seconds: float) -> Stop:
    helper, container = running.helper, running.container
    began = helper.clock()
    container.signal(live.stop_signal)
    not_ready, still = None, None
    if ready:
        refused = until(lambda: _changed(helper.http(ready)), seconds)
        if refused and refused.status == UNAVAILABLE:
            not_ready, still = refused.ended - began, helper.http(other)
    state = container.wait_ended(max(0.0, began + seconds - helper.clock()))
    return Stop(state, helper.clock() - began, not_ready, still)


def _changed(answer: Answer) -> Answer | None:
    return None if answer.status == OK else answer


def _judge(live: Live, stop: Stop, seconds: float, readiness: str, last: str) -> Finding:
    evidence = [Evidence(f"{live.stop_signal} was sent, with two idle connections open")]
    if stop.not_ready_after is not None:
        text = f"GET {readiness}: 503 after {stop.not_ready_after:.2f} s; other requests then: {stop.still_answered}"
        evidence.append(Evidence(text))
    lines = [Evidence(line) for line in last.splitlines()]
    if stop.state is None:
        do = "handle the signal as PID 1, start the app in exec form, and close idle connections"
        return failed(ID, f"still ran {seconds:g} s after {live.stop_signal}", evidence + lines, do)
    evidence.append(Evidence(f"ended after {stop.seconds:.2f} s with exit code {stop.state.exit_code}"))
    if stop.state.out_of_memory:
        return unknown(ID, "was killed for want of memory while it stopped", evidence)
    if stop.state.exit_code != 0:
        do = "handle the signal, and end with 0 when everything is done"
        return failed(ID, f"ended with exit code {stop.state.exit_code} instead of 0", evidence + lines, do)
    if readiness and stop.not_ready_after is None:
        do = "turn readiness off first, and close the socket only after the drain time"
        return failed(ID, f"GET {readiness} was never 503 between {live.stop_signal} and the end", evidence, do)
    if readiness and (stop.still_answered is None or stop.still_answered.status != OK):
        return failed(ID, "answered nothing any more while it should drain", evidence, "serve for the drain time")
    return passed(ID, f"{CLAIM}, after {stop.seconds:.1f} s", evidence)
