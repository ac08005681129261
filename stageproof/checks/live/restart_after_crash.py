"""restart-after-crash: after a crash the engine starts the container again, and it serves."""

from __future__ import annotations

from stageproof.checks.running import answered, ended, lines, live_of
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Container, Live, Options, Request, Running
from stageproof.live.helper.beside import attach
from stageproof.live.restrictions import TMPFS
from stageproof.model import Evidence, Finding

ID = "restart-after-crash"
CLAIM = "serves again after a crash"
BROKEN = "does not serve again after a crash"
WHY = "A lock, a socket file or a half-written state that a crash leaves behind turns one crash into an outage."
WAITS = True
"""In containers of its own: begun first where several claims are decided at once."""

DO = "let nothing of an earlier run stop the start: no pid file, no lock, no half-written state"


def check(subject: Subject, path: str = "/", restarts: int = 5) -> Finding:
    """Let the engine restart it on failure, kill it from outside of its namespaces, and ask it again."""
    live = live_of(subject)
    request = Request(path, port=live.port)
    try:
        with live.running(Options(restarts=restarts, tmpfs=TMPFS), look=False) as running:
            first = running.answer(request, answered)
            if not answered(first):
                return failed(ID, f"GET {path} gave {first} before the crash", lines(running.container.last_lines()))
            live.crash(running.container)
            return _again(live, running.container, request)
    except ContainerError as error:
        return ended(ID, error, DO)


def _again(live: Live, container: Container, request: Request) -> Finding:
    container.wait_restarted(live.limits.start_seconds)
    with attach(container, live.helper_image, live.run, look=False) as helper:
        again = Running(container, helper, live.deadline()).answer(request, answered)
    count = container.inspect()["RestartCount"]
    seen = [
        Evidence("its first process was killed from outside of its namespaces"),
        Evidence(f"the engine started it again: {count} x"),
        Evidence(f"GET {request.target!s} then: {again}"),
    ]
    if count == 0:
        return unknown(ID, "the engine did not start it again", seen)
    if not answered(again) or count > 1:
        return failed(ID, BROKEN, [*seen, *lines(container.last_lines())], DO)
    return passed(ID, CLAIM, seen)
