"""`no-package-manager`: the image contains no package manager of the operating system."""

from __future__ import annotations

from stageproof.checks.subject import Says, Subject, absent, evidence_of
from stageproof.image import programs, tools
from stageproof.model import Finding

CLAIM = "contains no package manager of the operating system"
BROKEN = "contains a package manager of the operating system"
WHY = "whoever runs code in the container can install more with it"
DO = "run the final stage on a base without one (distroless), or remove it there"


def check(subject: Subject, busybox: str = "") -> Finding:
    """Decide the claim; with `busybox`, one busybox below that folder is no fault."""
    image = subject.image
    found = tools.package_managers(image)
    if busybox:
        found = [tool for tool in found if not programs.is_busybox_in(tool.entry, busybox)]
    seen = [evidence_of(subject, tool.entry, tool.how) for tool in found]
    return absent("no-package-manager", Says(CLAIM, BROKEN, DO), subject, seen)
