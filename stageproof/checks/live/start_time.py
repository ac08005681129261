"""start-time: the first answer comes in time."""

from __future__ import annotations

from stageproof.checks.running import answered, ended, live_of
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.model import Evidence, Finding

ID = "start-time"
CLAIM = "gives its first answer in time"
BROKEN = "does not give its first answer in time"
WHY = "What starts slowly is restarted before it is ready, and follows a load too late."
DO = "load less at the start, and prepare in the build what can be prepared"


def check(subject: Subject, seconds: float | None = None) -> Finding:
    """Take the time from the kernel's start of its first process to its first answer, under all restrictions if it can.

    The helper container joins after the start: what is shorter than that is told as that.
    """
    live = live_of(subject)
    limit = live.limits.start_seconds if seconds is None else seconds
    try:
        running = live.serving()
    except ContainerError as error:
        return ended(ID, error, DO)
    begun = running.begun
    if begun is None:
        return failed(ID, f"gave no HTTP answer within {live.limits.start_seconds:g} s", do=DO)
    seen = [Evidence(f"GET /: {begun.answer}, {begun.seconds:.2f} s after the kernel started its first process")]
    if begun.seconds > limit:
        return failed(ID, f"took {begun.seconds:.1f} s to its first answer, more than {limit:g} s", seen, DO)
    if not answered(begun.answer):
        return unknown(ID, "its first answer is an error, so it is not known when it is ready", seen)
    return passed(ID, f"{CLAIM}: within {begun.seconds:.1f} s", seen)
