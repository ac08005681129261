"""What every check of a running container needs: a container that serves, a load for it, and its last words."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stageproof.checks.subject import Subject, failed
from stageproof.errors import ContainerError, HelperError
from stageproof.live import Answer, Container, Live, Options, Request, Running, State
from stageproof.live.restrictions import TMPFS
from stageproof.live.wait import until
from stageproof.model import Evidence, Finding

SERVER_ERROR = 500
BURST = 64
"""How many requests at once make a load."""
BURST_SECONDS = 20.0
TRACE = re.compile(
    r"Traceback \(most recent call last\)"
    r"|(?:^|\n|\\n)(?:\s|\\t)*at (?:async )?[\w$.<>/:]+ ?\(?[\w$./:-]*:\d+"
    r"|(?:^|\n|\\n)goroutine \d+ \[|(?:^|\n|\\n)panic: "
    r"|Caused by: [\w.]+(?:Exception|Error)|Exception in thread"
)
"""What stack traces of Python, Node, Java, Go, Ruby and .NET look like, also inside a JSON string."""


def live_of(subject: Subject) -> Live:
    """Give what starts containers of the image; without it the claim stays unknown."""
    if subject.live is None:
        message = "nothing may be started here"
        raise HelperError(message, why="this claim is about a running container", do="give an engine with the image")
    return subject.live


def ended(claim: str, error: ContainerError, do: str = "") -> Finding:
    """Say that the container did not get as far as the question, with its last words."""
    return failed(claim, error.failed, lines(error.seen), do)


def lines(text: str) -> list[Evidence]:
    """Show lines that a container printed."""
    return [Evidence(line) for line in text.splitlines()]


def tcp_ports(live: Live) -> list[int]:
    """Give the TCP ports that the image exposes."""
    return [port for protocol, port in live.exposed if protocol == "tcp"]


def answered(answer: Answer) -> bool:
    """Tell whether it is an HTTP answer that is no failure of the server."""
    return 0 < answer.status < SERVER_ERROR


@contextmanager
def restricted(live: Live, alone: Options, path: str) -> Iterator[tuple[Running, Request]]:
    """Give the shared container under all restrictions if it serves there, otherwise one under `alone`, and a request.

    So no claim is broken by the fault of a restriction that it says nothing about. Raises ContainerError where it does
    not serve like that either.
    """
    with _serving(live.restricted, live, alone, path) as running:
        yield running


@contextmanager
def abroad(live: Live, alone: Options, path: str) -> Iterator[tuple[Running, Request]]:
    """Give the shared container that is started as its image says but abroad, or one under `alone`, and a request."""
    with _serving(live.abroad, live, alone, path) as running:
        yield running


@contextmanager
def _serving(shared: Callable[[], Running], live: Live, alone: Options, path: str) -> Iterator[tuple[Running, Request]]:
    request = Request(path, port=live.port)
    running = _ready(shared, request)
    if running:
        yield running, request
        return
    with live.running(alone) as running:
        answer = running.answer(request, answered)
        if not answered(answer):
            message = f"GET {path} gives {answer}"
            raise ContainerError(message, seen=running.container.last_lines())
        yield running, request


def _ready(shared: Callable[[], Running], request: Request) -> Running | None:
    try:
        running = shared()
        return running if answered(running.answer(request, answered)) else None
    except ContainerError:
        return None


def others_than(running: Running, who: str) -> list[Evidence]:
    """Show the processes that the kernel takes for somebody other than this user and group, `uid:gid`."""
    user, _, group = who.partition(":")
    processes = running.helper.processes()
    others = [one for one in processes if one.users != {int(user)} or one.groups != {int(group)}]
    return [Evidence(f"process {one.pid} ({one.name}) runs as {one.uid}:{one.gid}") for one in others]


def turns(container: Container, health: str, seconds: float) -> float | None:
    """Wait for the engine's verdict on a container's health, and give the seconds from its start; None: not in time.

    Waits no longer where the health command cannot be run. Raises ContainerError when the container ends meanwhile.
    """

    def decided() -> State | None:
        state = container.state()
        if not state.running:
            what = f"it was {health}"
            raise container.ended_too_early(what)
        return state if state.health == health or cannot_run(state) else None

    state = until(decided, seconds)
    return time.monotonic() - container.started if state and state.health == health else None


def cannot_run(state: State) -> bool:
    """Tell whether the engine could not even start the health command: waiting longer changes nothing."""
    return bool(state.probes) and state.probes[-1].exit_code < 0 and "exec failed" in state.probes[-1].output


def last_probe(state: State) -> list[Evidence]:
    """Show how the health command ended last."""
    last = state.probes[-1:]
    return [Evidence(f"the last probe ended with {one.exit_code}: {one.output or 'no output'}") for one in last]


def trace_in(printed: str) -> str:
    """Give the beginning of a stack trace among lines for people; empty if there is none.

    A field of a line that is a JSON object is for machines, and hides nothing from a person.
    """
    words = "\n".join(line for line in printed.splitlines() if not (line.startswith("{") and line.endswith("}")))
    found = TRACE.search(words)
    return found[0].strip() if found else ""


def burst(running: Running, request: Request, count: int = BURST) -> list[Answer]:
    """Send many requests at once, and give their answers."""
    number, _ = running.helper.hold([request] * count, 0)
    return running.helper.collect(number, BURST_SECONDS)


def tally(answers: list[Answer]) -> str:
    """Say in a few words what came: "62 x status 200, 2 x no answer (closed)"."""
    kinds = [f"status {answer.status}" if answer.status else f"no answer ({answer.error})" for answer in answers]
    return ", ".join(f"{kinds.count(kind)} x {kind}" for kind in sorted(set(kinds)))


def written_when_it_may(live: Live, request: Request) -> list[str]:
    """Start it with a writable root, and name what it wrote there: what it could not write under a read-only one."""
    try:
        with live.running(Options(tmpfs=TMPFS)) as running:
            running.answer(request, answered)
            changed = running.container.changed_files()
    except ContainerError:
        return []
    return [line for line in changed if not any(other[2:].startswith(line[2:] + "/") for other in changed)]
