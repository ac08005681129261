"""`non-root-user`: the image runs as a user that is a number and not root."""

from __future__ import annotations

import re

from stageproof.checks.subject import Subject, evidence_at, failed, passed
from stageproof.image import identity
from stageproof.model import Finding

CLAIM = "runs as a numeric user other than root"
BROKEN = "does not run as a numeric user other than root"
WHY = "Kubernetes' runAsNonRoot can only judge a number, and root in a container is root in every hole of the kernel"
DO = "USER 65532:65532 in the final stage"
LARGEST = 2**31 - 1
"""User ids above it are refused by the engine (moby, `user.GetExecUser`)."""


def check(subject: Subject) -> Finding:
    """Decide the claim by USER alone: digits, or digits:digits."""
    user = subject.image.config.user
    match = re.fullmatch(r"([0-9]+)(?::([0-9]+))?", user)
    if match is None:
        seen = [evidence_at(subject, _named(subject, user), "USER")]
        return failed("non-root-user", BROKEN if user else "runs as root", seen, DO)
    # Cut, because Python refuses to read numbers of 5,000 digits; an eleventh digit is too large already.
    uid, gid = (int((number or "0").lstrip("0")[:11] or "0") for number in match.groups())
    if uid == 0:
        return failed("non-root-user", "runs as root", [evidence_at(subject, f"USER is {user}", "USER")], DO)
    if uid > LARGEST or gid > LARGEST:
        seen = [evidence_at(subject, f"USER is {user}; the largest number is {LARGEST}", "USER")]
        return failed("non-root-user", BROKEN, seen, DO)
    return passed("non-root-user", f"runs as {user}")


def _named(subject: Subject, user: str) -> str:
    if not user:
        return "USER is not set"
    who = identity.identity(subject.image)
    meaning = f"in this image it is {who.uid}" if who else "/etc/passwd and /etc/group of the image do not know it"
    return f"USER is {user!r}, a name and no number; {meaning}"
