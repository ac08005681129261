"""`no-setuid`: no program of the image gains rights when it is started."""

from __future__ import annotations

from collections.abc import Iterator

from stageproof.checks.subject import Says, Subject, absent, evidence_of, is_of_base
from stageproof.image import Entry
from stageproof.model import Evidence, Finding, Verdict

CLAIM = "contains no setuid or setgid program and no file capability"
BROKEN = "contains programs that gain rights when they are started"
WHY = "each one is a way from the app's user to root, and no service needs one"
DO = "leave the package out, or RUN chmod a-s on the file in the stage that ships it; setcap -r for capabilities"
SETUID, SETGID = 0o4000, 0o2000
CAPABILITY = "security.capability"
"""The extended attribute that holds them: capabilities(7)."""


def check(subject: Subject, base_may: bool = False) -> Finding:
    """Decide the claim for every regular file of the merged image; with `base_may`, the base's own are told only."""
    found = [(entry, how) for entry in subject.entries if entry.is_file and (how := _how(entry))]
    theirs = [entry.path for entry, _ in found if base_may and is_of_base(subject, entry)]
    seen = [evidence_of(subject, entry, how) for entry, how in found if entry.path not in theirs]
    holds = f"{CLAIM} but the base's {len(theirs)}" if theirs else CLAIM
    finding = absent("no-setuid", Says(holds, BROKEN, DO), subject, seen)
    if finding.verdict is not Verdict.PASS:
        return finding
    return Finding("no-setuid", Verdict.PASS, holds, tuple(_told(subject, found)))


def _told(subject: Subject, found: list[tuple[Entry, str]]) -> Iterator[Evidence]:
    for entry, how in found:
        yield evidence_of(subject, entry, f"{how}; the base brings it")


def _how(entry: Entry) -> str:
    rights = [
        name
        for name, there in (
            ("setuid", entry.mode & SETUID),
            ("setgid", entry.mode & SETGID),
            ("a file capability", CAPABILITY in entry.xattrs),
        )
        if there
    ]
    return f"{' and '.join(rights)} (mode {entry.mode:04o}, owner {entry.uid}:{entry.gid})" if rights else ""
