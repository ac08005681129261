"""`no-compiler`: the image contains no compiler and no build tool."""

from __future__ import annotations

from stageproof.checks.subject import Says, Subject, absent, evidence_of
from stageproof.image import tools
from stageproof.model import Finding

CLAIM = "contains no compiler and no build tool"
BROKEN = "contains a compiler or a build tool"
WHY = "it is weight that the app does not need, and a workshop for an intruder"
DO = "build in a stage of its own, and copy only the result into the final stage"


def check(subject: Subject) -> Finding:
    """Decide the claim."""
    image = subject.image
    found = tools.compilers(image)
    seen = [evidence_of(subject, tool.entry, tool.how) for tool in found]
    return absent("no-compiler", Says(CLAIM, BROKEN, DO), subject, seen)
