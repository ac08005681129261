"""log-stream: what the image has to say comes on its standard streams, at once, and into no file."""

from __future__ import annotations

import secrets

from stageproof.checks.running import BURST, abroad, burst, ended, live_of
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Live, Options, Request, Running
from stageproof.live.wait import until
from stageproof.model import Evidence, Finding

ID = "log-stream"
CLAIM = "logs to its standard streams, at once, and to no file"
BROKEN = "does not log to its standard streams, at once, and to no file"
WHY = "Engines collect the standard streams alone; a log in a file fills the disk, and one in a buffer dies in a crash."

STOP_SECONDS = 15.0


def check(subject: Subject, path: str = "/", seconds: float = 5) -> Finding:
    """Ask for a path that nobody else asks for, wait for it in the log, and look for files that grow with requests."""
    live = live_of(subject)
    marked = Request(f"/log-stream-{secrets.token_hex(4)}", port=live.port)
    try:
        with abroad(live, Options(), path) as (running, request), running.turn:
            growing = _growing(running, request)
            running.ask(marked)
            line = until(lambda: _line(running, marked), seconds)
    except ContainerError as error:
        return ended(ID, error)
    if growing:
        seen = [Evidence(f"grew by {size} bytes with {BURST} requests: {name}", name) for name, size in growing.items()]
        return failed(ID, "logs to a file", seen, do="log to standard output, and let the engine keep it")
    if line is None:
        return _never(live, marked, seconds)
    return passed(ID, CLAIM, [Evidence(line), Evidence(f"no file grew with {BURST} requests")])


def _line(running: Running, marked: Request) -> str | None:
    printed = running.container.output().decode(errors="replace").splitlines()
    return next((line for line in printed if str(marked.target) in line), None)


def _growing(running: Running, request: Request) -> dict[str, int]:
    """Name the files that a load makes larger, those in memory too, and by how many bytes."""
    before = _sizes(running)
    burst(running, request)
    after = _sizes(running)
    return {name: size - before.get(name, 0) for name, size in after.items() if size > before.get(name, 0)}


def _sizes(running: Running) -> dict[str, int]:
    """Give the sizes of the files that were added or changed, and of those that are open for writing."""
    changed = [line[2:] for line in running.container.changed_files() if line[0] in "AC"]
    sizes = {name: size for name, size in running.helper.sizes(changed).items() if size is not None}
    return sizes | {one.path: one.size for one in running.helper.open_for_writing()}


def _never(live: Live, marked: Request, seconds: float) -> Finding:
    """Tell a log that is kept in a buffer from one that is not written: only the former comes at the end."""
    with live.running(look=False) as running:
        running.answer(marked, lambda answer: bool(answer.status))
        at_once = until(lambda: _line(running, marked), seconds)
        running.container.signal(live.stop_signal)
        running.container.wait_ended(STOP_SECONDS)
        at_end = _line(running, marked)
    if at_end and not at_once:
        do = "flush every line, or switch the buffer off"
        return failed(ID, "keeps its log in a buffer until its end", [Evidence(f"at its end came: {at_end}")], do)
    message = f"does not log a request for {marked.target!s}, so it cannot be seen when it logs"
    return unknown(ID, message, do="log requests at the usual level")
