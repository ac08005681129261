"""host.file, as testinfra documents it."""

from __future__ import annotations

import datetime as dt
import stat
from collections.abc import Callable

from testinfra.modules.file import File

from stageproof.testinfra.inside import LONG_SECONDS, AbsentError, Facts, Inside, inside_of

UNKNOWN = "UNKNOWN"
"""What stat(1) calls an owner whose number has no name."""


class ContainerFile(File):
    """A path in a container. Links are followed by everything but `is_symlink`; the kernel follows them, in there."""

    @property
    def _inside(self) -> Inside:
        return inside_of(self._host)

    @property
    def _path(self) -> str:
        return str(self.path)

    def _is(self, kind: Callable[[int], bool], *, follow: bool = True) -> bool:
        facts = self._inside.facts(self._path, follow=follow)
        return facts is not None and kind(facts.mode)

    def _facts(self) -> Facts:
        return self._inside.require(self._path)

    @property
    def exists(self) -> bool:
        """Tell whether there is such a path; a link to nowhere is none."""
        return self._is(lambda _: True)

    @property
    def is_file(self) -> bool:
        """Tell whether it is a regular file."""
        return self._is(stat.S_ISREG)

    @property
    def is_directory(self) -> bool:
        """Tell whether it is a folder."""
        return self._is(stat.S_ISDIR)

    @property
    def is_pipe(self) -> bool:
        """Tell whether it is a pipe."""
        return self._is(stat.S_ISFIFO)

    @property
    def is_socket(self) -> bool:
        """Tell whether it is a socket."""
        return self._is(stat.S_ISSOCK)

    @property
    def is_symlink(self) -> bool:
        """Tell whether it is a symbolic link, wherever that leads."""
        return self._is(stat.S_ISLNK, follow=False)

    @property
    def is_executable(self) -> bool:
        """Tell whether the user of the host's commands may execute it, or enter it."""
        return self._inside.is_executable(self._path)

    @property
    def linked_to(self) -> str:
        """Give the path with every link in it followed."""
        return str(self._inside.ask("real", path=self._path)["path"])

    @property
    def user(self) -> str:
        """Give the owner's name."""
        return self._inside.accounts.user_name(self._facts().uid) or UNKNOWN

    @property
    def uid(self) -> int:
        """Give the owner's number."""
        return self._facts().uid

    @property
    def group(self) -> str:
        """Give the group's name."""
        return self._inside.accounts.group_name(self._facts().gid) or UNKNOWN

    @property
    def gid(self) -> int:
        """Give the group's number."""
        return self._facts().gid

    @property
    def mode(self) -> int:
        """Give the rights, with setuid, setgid and sticky bit."""
        return stat.S_IMODE(self._facts().mode)

    @property
    def size(self) -> int:
        """Give the size in bytes."""
        return self._facts().size

    @property
    def inode(self) -> int:
        """Give the number of the inode."""
        return self._facts().inode

    @property
    def mtime(self) -> dt.datetime:
        """Give the time of the last change of the content, in this machine's time zone, as testinfra does."""
        return dt.datetime.fromtimestamp(self._facts().modified)  # noqa: DTZ006 -- so it is documented

    @property
    def md5sum(self) -> str:
        """Give the MD5 digest of the content."""
        return self._digest("md5")

    @property
    def sha256sum(self) -> str:
        """Give the SHA-256 digest of the content."""
        return self._digest("sha256")

    def _digest(self, algorithm: str) -> str:
        return str(
            self._inside.ask("digest", path=self._path, algorithm=algorithm, seconds=LONG_SECONDS)["digest"],
        )

    def contains(self, pattern: str) -> bool:
        """Tell whether a line matches a pattern of grep's (a basic regular expression)."""
        seen = self._inside.ask("grep", path=self._path, pattern=pattern, seconds=LONG_SECONDS)
        if seen["code"] not in {0, 1}:
            failed = f"{self._path} cannot be searched for {pattern!r}"
            raise AbsentError(failed, seen=seen["detail"], why="grep gave no answer")
        return bool(seen["code"] == 0)

    def _get_content(self, decode: bool) -> bytes | str:
        content = self._inside.read(self._path)
        return content.decode() if decode else content

    def listdir(self) -> list[str]:
        """Name what is in the folder, sorted; names that begin with a dot are left out, as ls(1) does."""
        if self.exists and not self.is_directory:
            return [self._path]
        return sorted(name for name in self._inside.ask("names", path=self._path)["names"] if name[0] != ".")
