"""`no-shell`: the image contains no shell, by content and not by name."""

from __future__ import annotations

from stageproof.checks.subject import Says, Subject, absent, evidence_in, evidence_of, failed
from stageproof.image import programs, tools
from stageproof.model import Finding, Verdict

CLAIM = "contains no shell"
BROKEN = "contains a shell"
WHY = "a shell is what turns a hole in the app into a session on the machine"
DO = "leave it out of the final stage, or use the contract `debug`"


def check(subject: Subject, busybox: str = "") -> Finding:
    """Decide the claim; with `busybox`, exactly one shell is asked for: busybox, below that folder."""
    image = subject.image
    found = tools.shells(image)
    allowed = [tool for tool in found if busybox and programs.is_busybox_in(tool.entry, busybox)]
    others = [evidence_of(subject, tool.entry, tool.how) for tool in found if tool not in allowed]
    if busybox and not others and not allowed:
        return failed(
            "no-shell",
            f"contains no busybox in {busybox}, which is all that it is for",
            do="build it on the base's debug tag",
        )
    holds = f"contains exactly one shell, busybox in {busybox}" if busybox else CLAIM
    finding = absent("no-shell", Says(holds, BROKEN, DO), subject, others)
    if finding.verdict is not Verdict.PASS:
        return finding
    below = [
        evidence_in(
            subject,
            image.layers[number - 1],
            f"{tool.how}; only a lower layer holds it, no container sees it",
            tool.entry.path,
            tool.entry.size,
        )
        for number, tool in tools.hidden_shells(image)
    ]
    return Finding("no-shell", Verdict.PASS, finding.message, tuple(below))
