"""`user-has-home`: the user of the image has an entry in /etc/passwd, and a home that exists."""

from __future__ import annotations

from stageproof.checks.subject import Subject, evidence_at, evidence_of, failed, passed, unknown
from stageproof.image import identity
from stageproof.image.identity import EXECUTE, READ
from stageproof.model import Evidence, Finding

CLAIM = "knows its user: a line in /etc/passwd that everybody may read, and a home that exists"
BROKEN = "does not know its user"
WHY = "libraries that ask for the user's name or home fail at run time (getpwuid, ~), and only in some code paths"
DO = "RUN useradd --uid 65532 --create-home in the final stage, or a base that has such a user (distroless: nonroot)"


def check(subject: Subject) -> Finding:
    """Decide the claim by USER, /etc/passwd, its mode, and the merged image."""
    image = subject.image
    who = identity.identity(image)
    passwd = image.resolve("/etc/passwd")
    if passwd is not None and passwd.size and passwd.facts.content is None:
        seen = [evidence_of(subject, passwd, "its content is not in the index")]
        return unknown("user-has-home", f"could not be shown that it {CLAIM}", seen)
    account = next((one for one in identity.accounts(image) if who and one.uid == who.uid), None)
    if account is None or passwd is None:
        text = "there is no /etc/passwd" if passwd is None else "no line of /etc/passwd has its number"
        told = evidence_at(subject, f"USER is {image.config.user or 'not set: root'}; {text}", "USER")
        return failed("user-has-home", BROKEN, [told], DO)
    seen = []
    if not passwd.mode & READ:
        seen.append(evidence_of(subject, passwd, f"not readable for every user (mode {passwd.mode:04o})"))
    home = image.resolve(account.home) if account.home else None
    if home is None and account.home != "/":
        seen.append(Evidence(f"the home of {account.name} is not there", account.home))
    elif home is not None and who is not None and not (home.is_folder and who.may(home, EXECUTE)):
        text = f"the home of {account.name} is no folder that it may enter (mode {home.mode:04o})"
        seen.append(evidence_of(subject, home, text))
    if seen:
        return failed("user-has-home", BROKEN, seen, DO)
    return passed("user-has-home", f"runs as {account.name}, at home in {account.home}")
