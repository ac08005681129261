"""`no-editor`: the image contains no editor."""

from __future__ import annotations

from stageproof.checks.subject import Says, Subject, absent, evidence_of
from stageproof.image import programs, tools
from stageproof.model import Finding

CLAIM = "contains no editor"
BROKEN = "contains an editor"
WHY = "nobody edits files in a production container"
DO = "leave it out of the final stage"


def check(subject: Subject, busybox: str = "") -> Finding:
    """Decide the claim; with `busybox`, one busybox below that folder is no fault."""
    image = subject.image
    found = tools.editors(image)
    if busybox:
        found = [tool for tool in found if not programs.is_busybox_in(tool.entry, busybox)]
    seen = [evidence_of(subject, tool.entry, tool.how) for tool in found]
    return absent("no-editor", Says(CLAIM, BROKEN, DO), subject, seen)
