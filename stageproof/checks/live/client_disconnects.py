"""client-disconnects: clients that hang up in the middle leave nothing behind."""

from __future__ import annotations

from dataclasses import replace

from stageproof.checks.running import TRACE, answered, burst, ended, live_of, restricted
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options, Running
from stageproof.live.wait import until
from stageproof.model import Evidence, Finding

ID = "client-disconnects"
CLAIM = "is not impressed by clients that hang up"
BROKEN = "does not take well that clients hang up"
WHY = "Phones lose their network all day; each lost answer must cost neither an open file nor a page of log."

SPARE = 5
"""Files that may be open more than before: what a pool opened by the way."""
SETTLE_SECONDS = 10.0
DO = "close the connection in every path, and log a lost client in one line, or not at all"


def check(subject: Subject, path: str = "/qr?text=hang-up&scale=20&format=png", clients: int = 200) -> Finding:
    """Reset many connections in the middle of their answers, and compare open files and the log with before."""
    live = live_of(subject)
    try:
        with restricted(live, Options(), path) as (running, request), running.turn:
            burst(running, request)
            before, said = _quiet(running), len(running.container.output())
            begun = running.helper.abandon(replace(request, keep_alive=True), clients)
            until(lambda: _files(running) <= before + SPARE, SETTLE_SECONDS)
            after, printed = _files(running), running.container.output()[said:].decode(errors="replace")
            again = running.ask(request)
    except ContainerError as error:
        return ended(ID, error, DO)
    count = len(printed.splitlines())
    seen = [
        Evidence(f"{clients} connections were reset, {begun} of them in the middle of an answer"),
        Evidence(f"open files: {before} before, {after} after; {count} lines of log meanwhile"),
        Evidence(f"GET {path} after it: {again}"),
    ]
    if not begun:
        return unknown(ID, "no answer had begun before its client hung up", seen)
    trace = TRACE.search(printed)
    if trace:
        return failed(ID, "logs a stack trace for a client that hangs up", [*seen, Evidence(trace[0].strip())], DO)
    if after > before + SPARE:
        return failed(ID, "keeps files open for clients that hung up", seen, DO)
    if not answered(again):
        return failed(ID, BROKEN, seen, DO)
    return passed(ID, CLAIM, seen)


def _files(running: Running) -> int:
    return sum(one.files for one in running.helper.processes())


def _quiet(running: Running) -> int:
    """Count the open files when they have become no fewer: connections that are over take a moment to close."""
    seen = [_files(running)]

    def no_fewer() -> bool:
        seen.append(_files(running))
        return seen[-1] >= seen[-2]

    until(no_fewer, SETTLE_SECONDS)
    return seen[-1]
