"""arbitrary-gid: the image serves as a user and in a group that it does not know."""

from __future__ import annotations

from stageproof.checks.running import answered, ended, lines, live_of, others_than
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options, Request
from stageproof.live.restrictions import ANYBODY
from stageproof.model import Evidence, Finding

ID = "arbitrary-gid"
CLAIM = "serves as any user in any group"
BROKEN = "does not serve as any user in any group"
WHY = "A Kubernetes security context may name any user and any group; what only group 0 may read cannot be read then."
DO = "let everybody read the app's files: COPY --chmod with r and X for others"


def check(subject: Subject, path: str = "/") -> Finding:
    """Start it as 54321:54321, wait for an answer, and read whom the kernel takes every process for."""
    live = live_of(subject)
    try:
        with live.running(Options(user=ANYBODY)) as running:
            answer = running.answer(Request(path, port=live.port), answered)
            if not answered(answer):
                seen = [Evidence(f"GET {path} gives {answer}"), *lines(running.container.last_lines())]
                return failed(ID, BROKEN, seen, DO)
            others = others_than(running, ANYBODY)
    except ContainerError as error:
        return ended(ID, error, DO)
    if others:
        return unknown(ID, f"the engine did not start it as {ANYBODY}", others)
    return passed(ID, CLAIM, [Evidence(f"every process runs as {ANYBODY}")])
