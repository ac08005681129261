"""The lines of /etc/passwd, /etc/group and /etc/shadow, as passwd(5), group(5) and shadow(5) describe them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_USER_FIELDS, _GROUP_FIELDS, _SHADOW_FIELDS = 7, 4, 9


@dataclass(frozen=True)
class User:
    """One line of /etc/passwd."""

    name: str
    uid: int
    gid: int
    gecos: str
    home: str
    shell: str


@dataclass(frozen=True)
class Group:
    """One line of /etc/group."""

    name: str
    gid: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Shadow:
    """One line of /etc/shadow; days are counted from 1970-01-01 where they are a date. None: the field is empty."""

    name: str
    password: str
    min_days: int | None
    max_days: int | None
    expires: int | None


@dataclass(frozen=True)
class Accounts:
    """All users and groups of a root file system."""

    users: Sequence[User]
    groups: Sequence[Group]

    def user(self, name: str) -> User | None:
        """Give a user by name; else by number, as id(1) and getent(1) do."""
        named = (one for one in self.users if one.name == name)
        numbered = (one for one in self.users if name.isdigit() and one.uid == int(name))
        return next(named, None) or next(numbered, None)

    def group(self, name: str) -> Group | None:
        """Give a group by name; else by number."""
        named = (one for one in self.groups if one.name == name)
        numbered = (one for one in self.groups if name.isdigit() and one.gid == int(name))
        return next(named, None) or next(numbered, None)

    def user_name(self, uid: int) -> str | None:
        """Give the name of a user's number."""
        return next((one.name for one in self.users if one.uid == uid), None)

    def group_name(self, gid: int) -> str | None:
        """Give the name of a group's number."""
        return next((one.name for one in self.groups if one.gid == gid), None)

    def gids(self, user: User) -> list[int]:
        """Give the numbers of a user's groups, the own one first."""
        return list(dict.fromkeys([user.gid, *(one.gid for one in self.groups if user.name in one.members)]))


@dataclass(frozen=True)
class Identity:
    """Who a command runs as."""

    uid: int
    gid: int
    gids: tuple[int, ...]
    """All groups, the own one too."""
    home: str


def read(passwd: bytes | None, group: bytes | None) -> Accounts:
    """Read both files; one that is not there names nobody."""
    users = [
        User(line[0], int(line[2]), int(line[3]), line[4], line[5], line[6])
        for line in _lines(passwd, _USER_FIELDS)
        if line[2].isdigit() and line[3].isdigit()
    ]
    groups = [
        Group(line[0], int(line[2]), tuple(name for name in line[3].split(",") if name))
        for line in _lines(group, _GROUP_FIELDS)
        if line[2].isdigit()
    ]
    return Accounts(users, groups)


def shadows(shadow: bytes) -> Iterator[Shadow]:
    """Read /etc/shadow."""
    for line in _lines(shadow, _SHADOW_FIELDS):
        yield Shadow(line[0], line[1], _number(line[3]), _number(line[4]), _number(line[7]))


def identity(accounts: Accounts, text: str, more: Iterable[str] = ()) -> Identity | None:
    """Give who `USER[:GROUP]` is, as the engine decides it; None where a name is not known. `more`: --group-add."""
    name, _, group_name = text.partition(":")
    user = accounts.user(name or "0")
    if user is None and (name or "0").isdigit():
        user = User("", int(name or "0"), 0, "", "/", "")
    if user is None:
        return None
    added = [_gid(accounts, one) for one in more]
    if not group_name:
        gids = [*accounts.gids(user), *(gid for gid in added if gid is not None)]
        return Identity(user.uid, user.gid, tuple(dict.fromkeys(gids)), user.home)
    gid = _gid(accounts, group_name)
    if gid is None:
        return None
    return Identity(user.uid, gid, tuple(dict.fromkeys([gid, *(one for one in added if one is not None)])), user.home)


def _gid(accounts: Accounts, name: str) -> int | None:
    found = accounts.group(name)
    return found.gid if found else int(name) if name.isdigit() else None


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _lines(content: bytes | None, fields: int) -> Iterator[list[str]]:
    for line in (content or b"").decode("utf-8", "surrogateescape").splitlines():
        parts = line.split(":")
        if len(parts) >= fields and not line.startswith(("#", "+", "-")):
            yield parts
