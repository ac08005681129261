"""`no-download-tool`: the image contains no download tool."""

from __future__ import annotations

from stageproof.checks.subject import Says, Subject, absent, evidence_of
from stageproof.image import programs, tools
from stageproof.model import Finding

CLAIM = "contains no download tool"
BROKEN = "contains a download tool"
WHY = "it is the first thing that an intruder uses, and the app does not need it"
DO = "leave it out of the final stage; a health check is better a mode of the app itself"


def check(subject: Subject, busybox: str = "") -> Finding:
    """Decide the claim; with `busybox`, one busybox below that folder is no fault."""
    image = subject.image
    found = tools.download_tools(image)
    if busybox:
        found = [tool for tool in found if not programs.is_busybox_in(tool.entry, busybox)]
    seen = [evidence_of(subject, tool.entry, tool.how) for tool in found]
    return absent("no-download-tool", Says(CLAIM, BROKEN, DO), subject, seen)
