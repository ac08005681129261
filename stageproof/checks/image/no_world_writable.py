"""`no-world-writable`: nothing in the image may be changed by everybody."""

from __future__ import annotations

from collections.abc import Iterator

from stageproof.checks.subject import Says, Subject, absent, evidence_of
from stageproof.image import Kind
from stageproof.model import Evidence, Finding

CLAIM = "holds nothing that everybody may change"
BROKEN = "holds files or folders that everybody may change"
WHY = "whatever user a container is given, it can then replace what others run or read"
DO = "COPY --chmod, or chmod o-w in the stage that makes the file; a shared folder needs the sticky bit (mode 1777)"
EVERYBODY, STICKY = 0o002, 0o1000


def check(subject: Subject) -> Finding:
    """Decide the claim for the merged image: files not writable for others, folders only with the sticky bit."""
    return absent("no-world-writable", Says(CLAIM, BROKEN, DO), subject, _writable(subject))


def _writable(subject: Subject) -> Iterator[Evidence]:
    for entry in subject.entries:
        # Links have no mode of their own, and the engine lays a /dev of its own over the image's.
        if entry.kind is Kind.LINK or entry.path == "/dev" or entry.path.startswith("/dev/"):
            continue
        if entry.mode & EVERYBODY and not (entry.is_folder and entry.mode & STICKY):
            yield evidence_of(subject, entry, f"{entry.kind} that everybody may change (mode {entry.mode:04o})")
