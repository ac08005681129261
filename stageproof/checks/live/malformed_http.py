"""malformed-http: what is no right HTTP is refused, and does no harm."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from stageproof.checks.running import TRACE, answered, ended, live_of, restricted
from stageproof.checks.subject import Subject, failed, passed
from stageproof.errors import ContainerError
from stageproof.live import Answer, Options, Request, Running
from stageproof.model import Evidence, Finding

ID = "malformed-http"
CLAIM = "refuses what is no right HTTP, and serves on"
BROKEN = "is harmed by what is no right HTTP"
WHY = "Everything that is reachable is sent nonsense within minutes; what it answers then tells an intruder the rest."

SECONDS = 2.0
"""How long a connection may stay open after the last byte: some of these are beginnings that could go on. A server that
takes long for a right request, on a busy machine, has longer: silence in that time says nothing about it."""
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
UNFORESEEN = frozenset({500, 502, 503, 504})
"""501 and 505 are right answers: to a coding and to a version that it does not speak."""
MEGABYTE = 1 << 20
HOST = b"Host: localhost\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
"""Data in a chunk; a request of its own to a server that believes the other length, which RFC 9112, 6.3, forbids."""
CASES = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a version that nobody speaks": b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    "no version": b"GET /\r\n\r\n",
    "a header of 100 kB": b"GET / HTTP/1.1\r\n" + HOST + b"X-Large: " + b"y" * 100_000 + b"\r\n\r\n",
    "a thousand headers": b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: y\r\n" % n for n in range(1000)) + b"\r\n",
    "a line break in a header": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: b\rX-C: d\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\n" + HOST + b"broken header\r\n\r\n",
    "a line break in the target": b"GET /a%0d%0aX-Injected:%20yes HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "both lengths": b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED),
    "two lengths": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a negative length": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "a length that is no number": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n",
    "a chunk of an endless size": b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"f" * 64
    + b"\r\n",
    "a null byte in the target": b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a null byte in a header": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
    "null bytes": bytes(64),
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(506),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a line of 1 MB": b"GET /" + b"x" * MEGABYTE + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "bytes that are no UTF-8": b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
}
DO = "let the server refuse it: bounded lines and headers, no error page of its own, nothing passed on to the app"


@dataclass(frozen=True)
class Reply:
    """What came back on one connection."""

    case: str
    statuses: tuple[int, ...]
    body: bytes
    waited: float
    """Seconds that it had."""

    @property
    def harm(self) -> str:
        """Say what is wrong with it; empty if nothing is."""
        if any(status in UNFORESEEN for status in self.statuses):
            return "an error that nobody foresaw"
        if self.case == "both lengths" and len(self.statuses) > 1:
            return "two answers: a request was smuggled"
        if b"\nX-Injected:" in self.body:
            return "a header was injected"
        trace = TRACE.search(self.body.decode(errors="replace"))
        return "a stack trace" if trace else ""

    def __str__(self) -> str:
        """Say what came for what."""
        nothing = f"nothing within {self.waited:.1f} s"
        got = " and ".join(map(str, self.statuses)) or ("no HTTP" if self.body else nothing)
        return f"{self.case}: {got}"


def check(subject: Subject, path: str = "/") -> Finding:
    """Send every case of the corpus on a connection of its own, all at once, and then a right request.

    What got no answer is sent once more, with fewer at the same time: it may only have waited its turn.
    """
    live = live_of(subject)
    try:
        with restricted(live, Options(), path) as (running, request), running.turn:
            waited = SECONDS + 2 * len(CASES) * running.ask(request).seconds
            replies = _send(running, CASES, live.port, waited)
            silent = {reply.case: CASES[reply.case] for reply in replies.values() if not reply.body}
            replies |= _send(running, silent, live.port, waited)
            after = running.ask(request)
    except ContainerError as error:
        return ended(ID, error, DO)
    harmed = [reply for reply in replies.values() if reply.harm]
    if harmed:
        return failed(ID, BROKEN, [Evidence(f"{reply}: {reply.harm}") for reply in harmed], DO)
    if not answered(after):
        return failed(ID, "does not serve any more after it", [Evidence(f"GET {path}: {after}")], DO)
    return passed(
        ID, CLAIM, [*(Evidence(str(reply)) for reply in replies.values()), Evidence(f"GET {path} after it: {after}")]
    )


def _send(running: Running, cases: Mapping[str, bytes], port: int, waited: float) -> dict[str, Reply]:
    if not cases:
        return {}
    sent = [Request(bytes_=data, port=port, until_closed=True, seconds=waited) for data in cases.values()]
    number, _ = running.helper.hold(sent, 0)
    answers = running.helper.collect(number, 3 * waited)
    return {case: _reply(case, answer, waited) for case, answer in zip(cases, answers, strict=True)}


def _reply(case: str, answer: Answer, waited: float) -> Reply:
    return Reply(case, tuple(int(status) for status in STATUS.findall(answer.body)), answer.body, waited)
