"""What can stop a container before its program is even looked for: USER and WORKDIR."""

from __future__ import annotations

from stageproof.checks.subject import Subject, evidence_at, evidence_of
from stageproof.errors import ImageError
from stageproof.image import identity
from stageproof.model import Evidence

LARGEST_ID = 2**31 - 1
"""User ids above it are refused by the engine (moby, `user.GetExecUser`)."""


def stopped_before(subject: Subject) -> Evidence | None:
    """Give what stops every start of the image, or nothing. Raises ImageError where that cannot be told.

    A USER that the image's own /etc/passwd and /etc/group do not know ("unable to find user"), a number that is too
    large, a WORKDIR that is no folder. A WORKDIR that is not there is made by the engine.
    """
    image = subject.image
    for path in ("/etc/passwd", "/etc/group"):
        entry = image.resolve(path)
        if entry is not None and entry.size and entry.facts.content is None:
            failed = f"{path} is too large to be looked at"
            raise ImageError(failed, seen=f"{entry.size} bytes", why="it says who USER is")
    who = identity.identity(image)
    user = image.config.user
    if who is None:
        return evidence_at(subject, f"the image does not know its USER {user!r}", "USER")
    if max(who.uid, *who.groups) > LARGEST_ID:
        return evidence_at(subject, f"USER is {user}; the largest number is {LARGEST_ID}", "USER")
    workdir = image.resolve(image.config.workdir)
    if workdir is not None and not workdir.is_folder:
        return evidence_of(subject, workdir, f"WORKDIR is a {workdir.kind}, not a folder")
    return None
