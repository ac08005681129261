"""`has-toolchain`: the image contains the toolchain, so that comparing with it is fair."""

from __future__ import annotations

from stageproof.checks.subject import Subject, evidence_of, failed, passed
from stageproof.image import tools
from stageproof.model import Finding

CLAIM = "contains the toolchain"
BROKEN = "contains no toolchain"
WHY = "it is the image that the others are compared with: without its toolchain the comparison is not true"
SHOWN = 5


def check(subject: Subject) -> Finding:
    """Decide the claim: a compiler, a build tool or a language package manager is there."""
    image = subject.image
    found = [*tools.language_package_managers(image), *tools.compilers(image)]
    if not found:
        return failed("has-toolchain", BROKEN, do="build this variant on the SDK image, in one stage")
    return passed("has-toolchain", CLAIM, [evidence_of(subject, tool.entry, tool.how) for tool in found[:SHOWN]])
