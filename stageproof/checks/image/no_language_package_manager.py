"""`no-language-package-manager`: the image contains no language package manager."""

from __future__ import annotations

from stageproof.checks.subject import Says, Subject, absent, evidence_of
from stageproof.image import tools
from stageproof.model import Finding

CLAIM = "contains no language package manager"
BROKEN = "contains a language package manager"
WHY = "whoever runs code in the container can install more with it"
DO = "install in a stage of its own, and leave the manager (also ensurepip and node_modules/npm) behind"


def check(subject: Subject) -> Finding:
    """Decide the claim."""
    image = subject.image
    found = tools.language_package_managers(image)
    seen = [evidence_of(subject, tool.entry, tool.how) for tool in found]
    return absent("no-language-package-manager", Says(CLAIM, BROKEN, DO), subject, seen)
