"""`unique-ids`: every account and group has a number of its own, and no account has a known password."""

from __future__ import annotations

from collections.abc import Iterator

from stageproof.checks.subject import Subject, evidence_of, failed, not_applicable, passed, unknown
from stageproof.image import Entry
from stageproof.model import Evidence, Finding

CLAIM = "gives every account and group a number of its own, and no account a password"
BROKEN = "has accounts that share a number, or have a password"
WHY = "two names of one number have each other's rights; a password in an image is known to all who pull it"
DO = "useradd and groupadd choose free numbers; `passwd -l NAME` locks an account"
PASSWD, GROUP, SHADOW = "/etc/passwd", "/etc/group", "/etc/shadow"
_FIELDS = {PASSWD: 7, GROUP: 4, SHADOW: 9}
_LOCKED = ("*", "!", "x")


def check(subject: Subject) -> Finding:
    """Decide the claim by /etc/passwd, /etc/group and /etc/shadow: names, numbers, the password field."""
    files = {path: entry for path in _FIELDS if (entry := subject.image.resolve(path)) is not None}
    if not files:
        return not_applicable("unique-ids", "has no /etc/passwd, no /etc/group and no /etc/shadow")
    unread = [entry for entry in files.values() if entry.size and entry.facts.content is None]
    if unread:
        seen = [evidence_of(subject, entry, "its content is not in the index") for entry in unread]
        return unknown("unique-ids", f"could not be shown that it {CLAIM}", seen)
    seen = [evidence_of(subject, entry, text) for path, entry in files.items() for text in _faults(path, entry)]
    if seen:
        return failed("unique-ids", BROKEN, seen, DO)
    counts = ", ".join(f"{len(list(_lines(path, entry)))} in {path}" for path, entry in files.items())
    return passed("unique-ids", CLAIM, [Evidence(f"lines: {counts}")])


def _faults(path: str, entry: Entry) -> Iterator[str]:
    names: dict[str, int] = {}
    numbers: dict[str, str] = {}
    for line in _lines(path, entry):
        name, password = line[0], line[1]
        names[name] = names.get(name, 0) + 1
        if names[name] == 2:  # noqa: PLR2004 -- told once, at the second line
            yield f"the name {name!r} stands there twice"
        if path != SHADOW:
            number = line[2].lstrip("0") or "0"
            if number in numbers and numbers[number] != name:
                yield f"{numbers[number]!r} and {name!r} have the same number {number}"
            numbers.setdefault(number, name)
        if path != GROUP and not password:
            yield f"{name!r} has an empty password"
        elif path != GROUP and not password.startswith(_LOCKED):
            yield f"{name!r} has a password (not shown)"


def _lines(path: str, entry: Entry) -> Iterator[list[str]]:
    for text in (entry.facts.content or b"").decode("utf-8", "replace").splitlines():
        line = text.split(":")
        if len(line) >= _FIELDS[path] and not text.startswith("#"):
            yield line
