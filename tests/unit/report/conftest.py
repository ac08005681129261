"""Reports with one finding of each standing, and with texts that somebody chose to do harm."""

from __future__ import annotations

from datetime import date

import pytest

from stageproof.ignores import Ignore
from stageproof.model import Evidence, Finding, Verdict
from stageproof.verify import Judged, Verified

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a|b `c` **d** [e](javascript:f) @somebody #1",
    "::error::not ours\n::set-output name=x::y",
    "100% a,b:c",
    "\x1b[2J\x1b]0;title\x07",
    "\x00\x08\x0b\x7f\x85\x9b31m",
    "\u202etxt.exe\u2066\u200b\ufeff",
    "name-\udcff\udc80-that-is-no-utf-8",
    "\ud800 lone",
    "\ufffe\uffff",
    "]]>&lt;![CDATA[",
    "line one\nline two\r\nline three\u2028four",
    "{0} [text](1) \\[x\\]",
    "x" * 3_000,
)


@pytest.fixture
def ignore() -> Ignore:
    return Ignore("no-setuid", "the base's own, looked at", date(2027, 1, 31), path="/usr/bin/*")


@pytest.fixture
def image(ignore: Ignore) -> Verified:
    """Give an image with one finding of each standing."""
    seen = (Evidence("busybox 1.37", "/usr/lib/helper.bin", 1_131_168, 6, "COPY tools/ /usr/lib/", "app", 12),)
    judged = (
        Judged(Finding("non-root-user", Verdict.PASS, "runs as 65532:65532", seconds=0.0012)),
        Judged(Finding("no-shell", Verdict.FAIL, "contains a shell", seen, "leave it out", 0.5)),
        Judged(
            Finding("no-editor", Verdict.UNKNOWN, "could not be shown that it contains no editor", (), "look again")
        ),
        Judged(Finding("no-canary", Verdict.NOT_APPLICABLE, "was built without a canary")),
        Judged(Finding("no-compiler", Verdict.FAIL, "contains a compiler", seen, "leave it out"), reported=True),
        Judged(Finding("no-setuid", Verdict.FAIL, "holds setuid files", seen, "drop them"), ignored=ignore),
    )
    return Verified(
        "somebody/api:2.1",
        "sha256:" + "4b" * 32,
        "linux/amd64",
        "distroless",
        9,
        214_000_000,
        judged,
        ("ports-match",),
        0.6,
    )


def hostile(text: str) -> Verified:
    """Give an image all of whose texts are one text."""
    evidence = Evidence(text, text, 1, 1, text, text)
    judged = tuple(
        Judged(Finding("no-shell", verdict, text, (evidence, evidence), text), reported=reported)
        for verdict in Verdict
        for reported in (False, True)
    )
    accepted = Judged(judged[2].finding, ignored=Ignore("no-shell", text, date(2027, 1, 31)))
    return Verified(
        text, "sha256:" + "0" * 64, text, text, 1, 1, (*judged, accepted), ("ports-match",), 0.0, "Dockerfile"
    )
