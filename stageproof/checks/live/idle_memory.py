"""idle-memory: before it has anything to do, the image leaves room in its memory limit."""

from __future__ import annotations

from stageproof.checks.running import ended, live_of
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.model import Evidence, Finding

ID = "idle-memory"
CLAIM = "leaves room in its memory limit when it is idle"
BROKEN = "fills its memory limit when it is idle"
WHY = "What is taken before the first request is paid for on every machine, all day, and is missing under a load."

MEGABYTE = 1_000_000


def check(subject: Subject, share: float = 0.75, mb: float | None = None) -> Finding:
    """Read what its control group uses after its first answer: at most a share of its limit, or so many megabytes."""
    live = live_of(subject)
    limit = live.limits.memory * share if mb is None else mb * MEGABYTE
    try:
        running = live.serving()
    except ContainerError as error:
        return ended(ID, error)
    if running.begun is None or running.begun.memory is None:
        return unknown(ID, "it is not known what it used after its first answer")
    used = running.begun.memory
    text = f"{used / MEGABYTE:.1f} MB of {live.limits.memory / MEGABYTE:g} MB after its first answer"
    if used > limit:
        message = f"uses {used / MEGABYTE:.1f} MB when it is idle, more than {limit / MEGABYTE:.1f} MB"
        return failed(ID, message, [Evidence(text)], do="set the runtime's heap, and load less at the start")
    return passed(ID, f"{CLAIM}: {used / MEGABYTE:.1f} MB", [Evidence(text)])
