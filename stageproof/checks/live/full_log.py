"""full-log: the image lives on when the room for its log is full, and its newest lines are kept."""

from __future__ import annotations

import secrets

from stageproof.checks.running import BURST, answered, burst, ended, lines, live_of, tally
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Answer, Options, Request, Running
from stageproof.live.wait import until
from stageproof.model import Evidence, Finding

ID = "full-log"
CLAIM = "lives on when the room for its log is full"
BROKEN = "does not live on when the room for its log is full"
WHY = "Engines give a log so much room and then drop its oldest lines; whoever counts on more loses the newest ones."

DO = "write each line to a standard stream at once, and count on no room for it: the engine keeps and drops lines"
SHOWN = 3
LINE = 64
"""Bytes; a line in the engine's file is longer. It tells how many requests must fill the log."""


def check(subject: Subject, kb: int = 4, seconds: float = 5) -> Finding:
    """Give its log little room, ask until its oldest lines are gone, and ask once more: the newest must be there.

    The paths are nobody else's, so that their lines can be told from all others.
    """
    live = live_of(subject)
    room = kb * 1024
    first, last = (Request(f"/full-log-{secrets.token_hex(4)}", port=live.port) for _ in range(2))
    try:
        with live.running(Options(log_bytes=room), look=False) as running:
            answers = [running.answer(first, lambda answer: bool(answer.status))]
            logged = until(lambda: _holds(running, first), seconds)
            full = logged and _fill(running, first, answers, room)
            answers.append(running.ask(last))
            kept = until(lambda: _holds(running, last), seconds if logged else 0)
            words = lines(running.container.last_lines(SHOWN))
    except ContainerError as error:
        return ended(ID, error, DO)
    seen = [
        Evidence(f"its log has room for {room} bytes"),
        Evidence(f"{len(answers)} requests: {tally(answers)}"),
        *words,
    ]
    if not all(answered(answer) for answer in answers):
        return failed(ID, BROKEN, seen, DO)
    if not logged:
        return unknown(ID, f"logs no requests: {first.target!s} is not in its log", seen)
    if not full:
        return unknown(ID, "the engine gave its log more room: its oldest lines are still there", seen)
    if not kept:
        return failed(ID, "logs no more when the room for its log is full", seen, DO)
    gone = Evidence(f"the line of the first request is gone, and that of the last is there: {last.target!s}")
    return passed(ID, CLAIM, [*seen[:2], gone])


def _fill(running: Running, request: Request, answers: list[Answer], room: int) -> bool:
    """Ask, all at once, until the request's first lines are gone from the log, or should have been long ago."""
    most = len(answers) + room // LINE + BURST
    while len(answers) < most and all(answered(answer) for answer in answers):
        marked = Request(f"/full-log-{secrets.token_hex(4)}", port=request.port)
        answers += burst(running, marked)
        if not _holds(running, request):
            return True
    return False


def _holds(running: Running, request: Request) -> bool:
    return str(request.target) in running.container.output().decode(errors="replace")
