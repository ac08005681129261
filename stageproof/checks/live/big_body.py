"""big-body: a body beyond all measure is refused, and not collected first."""

from __future__ import annotations

from stageproof.checks.running import answered, ended, live_of, restricted
from stageproof.checks.subject import Subject, failed, passed
from stageproof.errors import ContainerError
from stageproof.live import Answer, Options, Request, cgroup
from stageproof.model import Evidence, Finding

ID = "big-body"
CLAIM = "refuses a body beyond all measure without collecting it"
BROKEN = "takes a body beyond all measure"
WHY = "A server that collects what it is sent before it looks at it is out of memory after one request."

MEGABYTE = 1_000_000
LARGEST = 512 * MEGABYTE
SECONDS = 30.0
DO = "refuse a Content-Length above the limit with 413, and stop reading chunks when they have become too many"


def check(subject: Subject, path: str = "/", method: str = "POST") -> Finding:
    """Send twice the memory limit, with a length and in chunks; it must be refused, and no process be ended for it."""
    live = live_of(subject)
    size = min(2 * live.limits.memory, LARGEST)
    try:
        with restricted(live, Options(memory=live.limits.memory), path) as (running, request), running.turn:
            before = cgroup.memory_kills(running.helper)
            answers = {kind: running.ask(one) for kind, one in _requests(path, method, request.port, size).items()}
            kills = cgroup.memory_kills(running.helper) - before
            after = running.ask(request)
    except ContainerError as error:
        return ended(ID, error, DO)
    seen = [Evidence(f"{size / MEGABYTE:.0f} MB {kind}: {answer}") for kind, answer in answers.items()]
    seen.append(Evidence(f"GET {path} after it: {after}; the kernel ended {kills} processes for want of memory"))
    if kills or not answered(after):
        return failed(ID, "does not survive a body beyond all measure", seen, DO)
    if not all(_refused(answer) for answer in answers.values()):
        return failed(ID, BROKEN, seen, DO)
    return passed(ID, CLAIM, seen)


def _requests(path: str, method: str, port: int, size: int) -> dict[str, Request]:
    start = f"{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n"
    length = f"{start}Content-Length: {size}\r\n\r\n".encode()
    chunk = f"{start}Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n".encode()
    return {
        "with a length": Request(method=method, port=port, bytes_=length, padding=size, seconds=SECONDS),
        "in one chunk": Request(method=method, port=port, bytes_=chunk, padding=size, seconds=SECONDS),
    }


def _refused(answer: Answer) -> bool:
    """Tell whether it said no, or closed the connection without a word."""
    return 400 <= answer.status < 500 or answer.error in {"closed", "cut-off"}  # noqa: PLR2004 -- HTTP's own
