"""port-in-use: where its port is taken, the image says so and ends."""

from __future__ import annotations

from stageproof.checks.running import ended, lines, live_of, restricted, trace_in
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options, State
from stageproof.live.restrictions import BESIDE
from stageproof.model import Evidence, Finding

ID = "port-in-use"
CLAIM = "ends with a message where its port is taken"
BROKEN = "does not end with a message where its port is taken"
WHY = "A server that runs without its port looks alive and answers nobody; one that ends is started again elsewhere."

SIGNALLED = 128
LAST = 5
DO = "let a port that cannot be had end the start, with one line that names the port"


def check(subject: Subject, path: str = "/", seconds: float | None = None) -> Finding:
    """Start a second instance in the network of the first, and see how it ends; the first must not be disturbed."""
    live = live_of(subject)
    try:
        with restricted(live, Options(), path) as (running, request):
            # As the same user: the kernel lets two servers share a port only if they are one user's.
            user = running.container.inspect()["Config"]["User"]
            with live.start(Options(network=BESIDE + running.container.id, user=user or None)) as second:
                state = second.wait_ended(seconds or live.limits.start_seconds)
                printed = second.output().decode(errors="replace")
            first = running.ask(request)
    except ContainerError as error:
        return ended(ID, error)
    seen = [Evidence(f"GET {path} of the first: {first}"), *lines(printed)[-LAST:]]
    if state is None:
        return failed(ID, "runs on although its port is taken", seen, DO)
    seen.insert(0, Evidence(f"the second one ended with exit code {state.exit_code}"))
    if state.out_of_memory or state.exit_code > SIGNALLED:
        return unknown(ID, f"the second one was killed: exit code {state.exit_code}", seen)
    wrong = "disturbed the one that has the port" if not first.status else _wrong(state, printed)
    return failed(ID, wrong, seen, DO) if wrong else passed(ID, CLAIM, seen)


def _wrong(state: State, printed: str) -> str:
    """Say what is wrong with how the second one ended; empty if nothing is."""
    if state.exit_code == 0:
        return "ended as if all was well"
    if not printed.strip():
        return "ended without a word"
    return "ended with a stack trace instead of a message" if trace_in(printed) else ""
