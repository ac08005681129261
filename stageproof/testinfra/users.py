"""host.user and host.group, as testinfra documents them, from the container's own passwd, group and shadow."""

from __future__ import annotations

import datetime as dt
from typing import TypeVar

from testinfra.modules.group import Group
from testinfra.modules.user import User

from stageproof.testinfra import accounts
from stageproof.testinfra.accounts import Accounts
from stageproof.testinfra.inside import AbsentError, Inside, inside_of

T = TypeVar("T")

EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 -- testinfra gives dates without a time zone


class ContainerUser(User):
    """A user of a container; without a name the one that its commands run as."""

    @property
    def _inside(self) -> Inside:
        return inside_of(self._host)

    @property
    def _accounts(self) -> Accounts:
        return self._inside.accounts

    def _entry(self) -> accounts.User:
        name = str(self.name)
        return _there(self._accounts.user(name), f"the user {name!r}", self._inside)

    def _shadow(self) -> accounts.Shadow:
        name = str(self.name)
        lines = accounts.shadows(self._inside.read("/etc/shadow"))
        return _there(next((one for one in lines if one.name == name), None), f"the password of {name!r}", self._inside)

    @property
    def name(self) -> str:
        """Give the name that was asked for, else that of the user of the host's commands."""
        if self._name is None:
            uid = self._inside.identity.uid
            self._name = _there(self._accounts.user_name(uid), f"a name of the user {uid}", self._inside)
        return str(self._name)

    @property
    def exists(self) -> bool:
        """Tell whether there is such a user."""
        return self._accounts.user(self.name) is not None

    @property
    def uid(self) -> int:
        """Give the user's number."""
        return self._entry().uid

    @property
    def gid(self) -> int:
        """Give the number of the user's own group."""
        return self._entry().gid

    @property
    def group(self) -> str:
        """Give the name of the user's own group."""
        gid = self.gid
        return _there(self._accounts.group_name(gid), f"a name of the group {gid}", self._inside)

    @property
    def gids(self) -> list[int]:
        """Give the numbers of all the user's groups."""
        return self._accounts.gids(self._entry())

    @property
    def groups(self) -> list[str]:
        """Give the names of all the user's groups."""
        known = self._accounts
        return [_there(known.group_name(gid), f"a name of the group {gid}", self._inside) for gid in self.gids]

    @property
    def home(self) -> str:
        """Give the home folder."""
        return self._entry().home

    @property
    def shell(self) -> str:
        """Give the login shell, whether there is such a program or not."""
        return self._entry().shell

    @property
    def gecos(self) -> str:
        """Give the comment."""
        return self._entry().gecos

    @property
    def password(self) -> str:
        """Give the encrypted password."""
        return self._shadow().password

    @property
    def password_max_days(self) -> int | None:
        """Give the most days between two changes of the password."""
        return self._shadow().max_days

    @property
    def password_min_days(self) -> int | None:
        """Give the fewest days between two changes of the password."""
        return self._shadow().min_days

    @property
    def expiration_date(self) -> dt.datetime | None:
        """Give the day when the account ends."""
        days = self._shadow().expires
        return EPOCH + dt.timedelta(days=days) if days and days > 0 else None

    @property
    def get_all_users(self) -> list[str]:
        """Name all users: those of /etc/passwd, since a container has no others."""
        return [one.name for one in self._accounts.users]

    @property
    def get_local_users(self) -> list[str]:
        """Name the users of /etc/passwd."""
        return self.get_all_users


class ContainerGroup(Group):
    """A group of a container."""

    @property
    def _accounts(self) -> Accounts:
        return inside_of(self._host).accounts

    def _entry(self) -> accounts.Group:
        name = str(self.name)
        return _there(self._accounts.group(name), f"the group {name!r}", inside_of(self._host))

    @property
    def exists(self) -> bool:
        """Tell whether there is such a group."""
        return self._accounts.group(str(self.name)) is not None

    @property
    def gid(self) -> int:
        """Give the group's number."""
        return self._entry().gid

    @property
    def members(self) -> list[str]:
        """Name the users that /etc/group lists."""
        return list(self._entry().members)

    @property
    def get_all_groups(self) -> list[str]:
        """Name all groups: those of /etc/group, since a container has no others."""
        return [one.name for one in self._accounts.groups]

    @property
    def get_local_groups(self) -> list[str]:
        """Name the groups of /etc/group."""
        return self.get_all_groups


def _there(found: T | None, what: str, inside: Inside) -> T:
    if found is None:
        failed = f"{inside.container.name} does not have {what}"
        raise AbsentError(failed, seen="no such line in its passwd, group or shadow", why="there is nothing to give")
    return found
