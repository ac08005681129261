"""Who a container runs as, and what that user may do: as the kernel decides it, from numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stageproof.image.tree import Entry, Image

READ, WRITE, EXECUTE = 4, 2, 1
_PASSWD_FIELDS, _GROUP_FIELDS = 7, 4
_MOST_DIGITS = 10


@dataclass(frozen=True)
class Account:
    """One line of /etc/passwd."""

    name: str
    uid: int
    gid: int
    home: str


@dataclass(frozen=True)
class Identity:
    """The user of a process, with all groups."""

    uid: int
    groups: frozenset[int]
    home: str

    def may(self, entry: Entry, right: int) -> bool:
        """Whether the user has a right (READ, WRITE, EXECUTE) on an entry, by its mode alone."""
        if self.uid == 0:
            return right != EXECUTE or entry.is_folder or bool(entry.mode & 0o111)
        if entry.uid == self.uid:
            return bool(entry.mode >> 6 & right)
        if entry.gid in self.groups:
            return bool(entry.mode >> 3 & right)
        return bool(entry.mode & right)


def accounts(image: Image) -> list[Account]:
    """Give the accounts of /etc/passwd, without lines that are none."""
    return [
        Account(line[0], int(line[2]), int(line[3]), line[5])
        for line in _lines(image, "/etc/passwd", _PASSWD_FIELDS)
        if _is_number(line[2]) and _is_number(line[3])
    ]


def group_ids(image: Image) -> dict[str, int]:
    """Give the groups of /etc/group with their numbers; of two lines with one name the first counts."""
    lines = [line for line in _lines(image, "/etc/group", _GROUP_FIELDS) if _is_number(line[2])]
    return {line[0]: int(line[2]) for line in reversed(lines)}


def identity(image: Image) -> Identity | None:
    """Give who the image's USER is, looked up as the engine does; None where a name is not known."""
    user, _, group = image.config.user.partition(":")
    known = accounts(image)
    account = next((one for one in known if user in {one.name, str(one.uid)}), None)
    if not user:
        account = next((one for one in known if one.uid == 0), Account("root", 0, 0, "/root"))
    if account is None and _is_number(user):
        account = Account("", int(user), 0, "/")
    if account is None:
        return None
    if not group:
        return Identity(account.uid, frozenset({account.gid, *_memberships(image, account.name)}), account.home)
    gid = int(group) if _is_number(group) else group_ids(image).get(group)
    return None if gid is None else Identity(account.uid, frozenset({gid}), account.home)


def _memberships(image: Image, name: str) -> Iterator[int]:
    for line in _lines(image, "/etc/group", _GROUP_FIELDS):
        if name and name in line[3].split(",") and _is_number(line[2]):
            yield int(line[2])


def _is_number(text: str) -> bool:
    """Whether a text is a number that may be an id: ids have 32 bits, and Python refuses texts of 5,000 digits."""
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def _lines(image: Image, path: str, fields: int) -> Iterator[list[str]]:
    for line in (image.read(path) or b"").decode("utf-8", "replace").splitlines():
        parts = line.split(":")
        if len(parts) >= fields:
            yield parts
