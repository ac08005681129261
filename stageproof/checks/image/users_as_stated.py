"""`users-as-stated`: users and groups are known to the image as the contract states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stageproof.checks import stated
from stageproof.checks.stated import Row
from stageproof.checks.subject import Subject, failed, not_applicable, passed, unknown
from stageproof.image import Image
from stageproof.model import Evidence, Finding

ID = "users-as-stated"
CLAIM = "knows the users and groups that its contract states"
BROKEN = "knows other users and groups than its contract states"
WHY = "programs look up who they are, and volumes keep the numbers that were true when they were written"
DO = "add or remove them in the final stage, or change the contract"
USER_KEYS = ("name", "exists", "uid", "gid", "home", "shell", "groups")
GROUP_KEYS = ("name", "exists", "gid")

_PASSWD, _GROUP = "/etc/passwd", "/etc/group"
_PASSWD_FIELDS, _GROUP_FIELDS = 7, 4

Lines = Mapping[str, list[str]]


def check(subject: Subject, users: Sequence[Row] = (), groups: Sequence[Row] = ()) -> Finding:
    """Decide the claim by /etc/passwd and /etc/group; without them it is unknown."""
    asked = {
        _PASSWD: stated.rows(ID, users, USER_KEYS, "name"),
        _GROUP: stated.rows(ID, groups, GROUP_KEYS, "name"),
    }
    if not any(asked.values()):
        return not_applicable(ID, stated.NOTHING)
    looked_up = {_PASSWD: asked[_PASSWD], _GROUP: asked[_GROUP] or [row for row in asked[_PASSWD] if "groups" in row]}
    missing = [path for path, rows in looked_up.items() if rows and subject.image.read(path) is None]
    if missing:
        seen = [Evidence("is not there, or is empty", path) for path in missing]
        return unknown(ID, f"could not be shown that it {CLAIM}", seen, f"copy {missing[0]} into the final stage")
    known = _lines(subject.image, _PASSWD, _PASSWD_FIELDS)
    teams = _lines(subject.image, _GROUP, _GROUP_FIELDS)
    wrong = [Evidence(text) for row in asked[_PASSWD] for text in _user(row, known, teams)]
    wrong += [Evidence(text) for row in asked[_GROUP] for text in _group(row, teams)]
    if wrong:
        return failed(ID, BROKEN, wrong, DO)
    return passed(ID, CLAIM)


def _user(row: Row, known: Lines, teams: Lines) -> Iterator[str]:
    name = str(row["name"])
    line = known.get(name)
    if line is None or row.get("exists", True) is False:
        yield from _existence("user", row, line)
        return
    fields = {"uid": line[2], "gid": line[3], "home": line[5], "shell": line[6]}
    for key, value in fields.items():
        if key in row and str(row[key]) != value:
            yield f"the {key} of {name} is {value}, stated is {row[key]}"
    own = {team for team, fields_ in teams.items() if fields_[2] == line[3] or name in fields_[3].split(",")}
    for team in stated.words(ID, row, "groups"):
        if team not in own:
            yield f"{name} is not in the group {team}"


def _group(row: Row, teams: Lines) -> Iterator[str]:
    line = teams.get(str(row["name"]))
    if line is None or row.get("exists", True) is False:
        yield from _existence("group", row, line)
    elif "gid" in row and str(row["gid"]) != line[2]:
        yield f"the gid of the group {row['name']} is {line[2]}, stated is {row['gid']}"


def _existence(what: str, row: Row, line: list[str] | None) -> Iterator[str]:
    if (line is not None) is not (row.get("exists", True) is True):
        yield f"the {what} {row['name']} is {'not ' if line is None else ''}known, stated is the contrary"


def _lines(image: Image, path: str, fields: int) -> Lines:
    parts = [line.split(":") for line in (image.read(path) or b"").decode("utf-8", "replace").splitlines()]
    return {line[0]: line for line in reversed(parts) if len(line) >= fields}
