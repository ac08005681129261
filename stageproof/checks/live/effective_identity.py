"""effective-identity: whom the kernel takes its processes for is whom the image names."""

from __future__ import annotations

from dataclasses import dataclass

from stageproof.checks.running import abroad, ended, live_of
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Helper, Options
from stageproof.model import Evidence, Finding

ID = "effective-identity"
CLAIM = "runs as the user that it names, and as nobody else"
BROKEN = "does not run as the user that it names"
WHY = "A user in the configuration says nothing about what an entry script or a setuid program makes of it."


@dataclass(frozen=True)
class Identity:
    """A user and a group, as the kernel knows them."""

    user: int
    group: int


def check(subject: Subject, path: str = "/") -> Finding:
    """Start it as it is, read what USER means in its own files, and whom the kernel takes every process for."""
    live = live_of(subject)
    named = str(live.config.get("User") or "")
    try:
        with abroad(live, Options(), path) as (running, _):
            expected = _resolve(named, running.helper)
            processes = running.helper.processes()
    except ContainerError as error:
        return ended(ID, error)
    if expected is None or not processes:
        return unknown(ID, f"its own files do not tell who the user {named!r} is", do="name the user in digits")
    seen = [
        Evidence(
            f"process {one.pid} ({one.name}) is {_text(one.users)}:{_text(one.groups)}, by capabilities"
            f" {one.capabilities:#x}"
        )
        for one in processes
    ]
    told = Evidence(f"USER {named or '(none: root)'} is {expected.user}:{expected.group}")
    wrong = [one for one in processes if one.users != {expected.user} or one.groups != {expected.group}]
    if wrong:
        return failed(ID, BROKEN, [told, *seen], do="start as that user at once, without changing it on the way")
    return passed(ID, f"{CLAIM}: {expected.user}:{expected.group}", [told, *seen])


def _resolve(named: str, helper: Helper) -> Identity | None:
    """Read USER as engines do: digits, or a name of passwd; the group after a colon, or the user's own, or root's."""
    user, _, group = (named or "0").partition(":")
    entry = _entry(helper, "passwd", user)
    number = int(user) if user.isdigit() else int(entry[2]) if entry else None
    if number is None:
        return None
    if not group:
        return Identity(number, int(entry[3]) if entry else 0)
    found = _entry(helper, "group", group)
    if group.isdigit():
        return Identity(number, int(group))
    return Identity(number, int(found[2])) if found else None


def _entry(helper: Helper, file: str, wanted: str) -> list[str] | None:
    """Find a line of passwd or group by its name, or by its number."""
    text = helper.read(f"/proc/1/root/etc/{file}") or ""
    lines = [line.split(":") for line in text.splitlines() if line.count(":") >= 2]  # noqa: PLR2004 -- name:password:number
    field = 2 if wanted.isdigit() else 0
    return next((words for words in lines if words[field] == wanted), None)


def _text(numbers: frozenset[int]) -> str:
    return "/".join(str(number) for number in sorted(numbers))
