"""`debug-is-shell-only`: the debug image equals the distroless image plus the shell, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from stageproof.checks.compared import Pair, configuration, files
from stageproof.checks.subject import ELSEWHERE, Says, Subject, absent, not_applicable, unknown
from stageproof.model import Evidence, Finding

CLAIM = "equals the distroless image plus the shell, and nothing else"
BROKEN = "differs from the distroless image in more than the shell"
WHY = "what is found with the debug image must be true of the image in production"
DO = "build both from one Dockerfile, in one run, with only BASE_TAG different"


def check(
    subject: Subject, extra: Sequence[str] = ("/busybox",), sibling: str = "distroless", varying: Sequence[str] = ()
) -> Finding:
    """Decide the claim path by path: kind, mode, owner, link, content; and by the configuration.

    `extra` are the folders that only the debug image may have. `varying` are patterns of files whose bytes no two
    builds share (an AOT cache): they must be in both, with the same mode and owner.
    """
    if subject.elsewhere:
        return not_applicable("debug-is-shell-only", ELSEWHERE)
    other = subject.siblings.get(sibling)
    if other is None:
        seen = [Evidence(f"there is no image of the variant {sibling}")]
        return unknown("debug-is-shell-only", f"could not be shown that it {CLAIM}", seen, f"build {sibling} too")
    pair = Pair(subject, other, "the debug image", f"the {sibling} image")
    seen = [*files(pair, extra, varying), *configuration(pair, extra)]
    return absent("debug-is-shell-only", Says(CLAIM, BROKEN, DO), subject, seen)
