"""`no-dev-dependencies`: no library that only development needs is in the image."""

from __future__ import annotations

from collections.abc import Sequence

from stageproof.checks.subject import Says, Subject, absent, evidence_of, not_applicable
from stageproof.image import packages
from stageproof.model import Finding

CLAIM = "contains no library that only development needs"
BROKEN = "contains a library that only development needs"
WHY = "test runners and linters are weight, and each is one more thing with security holes"
DO = "install without them: npm ci --omit=dev, pip with the production lock file, scope test in Maven"


def check(subject: Subject, names: Sequence[str] = ()) -> Finding:
    """Decide the claim by `names`, or the stack's own list; compared with Python packages, node_modules and jars."""
    wanted = {*names, *(subject.stack.dev_packages if subject.stack else ())}
    if not wanted and subject.stack is None:
        return not_applicable("no-dev-dependencies", "does not say which libraries only development needs")
    known = wanted | {packages.normal_python(name) for name in wanted}
    found = [package for package in packages.of_languages(subject.image) if package.name in known]
    seen = [
        evidence_of(subject, package.entry, f"{package.ecosystem} {package.name} {package.version}")
        for package in found
    ]
    return absent("no-dev-dependencies", Says(CLAIM, BROKEN, DO), subject, seen)
