"""The inside of a running container: its files, accounts and processes, and commands in it. Nothing in it is needed."""

from __future__ import annotations

import base64
import posixpath
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, cast

from stageproof.errors import ContainerError, HelperError, QuestionError
from stageproof.live import Run
from stageproof.live.container import Container
from stageproof.live.helper.beside import Program, attach
from stageproof.live.helper.client import Helper
from stageproof.testinfra import accounts
from stageproof.testinfra.accounts import Accounts, Identity

PROGRAM = Program(
    Path(__file__).with_name("looker.py").read_text(encoding="utf-8"),
    # To change into the target's root; and to become the target's user, for the question what that may execute.
    ("SYS_CHROOT", "SETUID", "SETGID"),
)
NOT_THERE = frozenset({"ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"})
"""With these the kernel says that no file has that path; anything else says that it could not be looked at."""
PIECE = 1 << 20
LARGEST = 256 << 20
"""Bytes of a file whose content is given: what is larger is no text to assert on, or has no end (/dev/zero)."""
LONG_SECONDS = 120.0
"""How long it may take to read a large file through."""
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What the engine sets where the image sets no PATH (containerd/oci: the default Unix path)."""


class AbsentError(QuestionError, AssertionError, RuntimeError):
    """What was asked about is not there. It is also of the kinds that testinfra raises then."""


@dataclass(frozen=True)
class Facts:
    """What the kernel says about a file."""

    mode: int
    """Kind and rights together, as in stat(2)."""
    uid: int
    gid: int
    size: int
    modified: int
    """Seconds since 1970."""
    inode: int


class Inside:
    """A container with a helper beside it; leaving the `with` block removes the helper, and leaves the container."""

    def __init__(self, container: Container, helper: Helper, user: str | None = None) -> None:
        self.container = container
        self.helper = helper
        self._user = user

    def ask(self, op: str, *, seconds: float = 0.0, **fields: object) -> dict[str, Any]:
        """Ask one question; raise AbsentError where it is about a path that is not there."""
        answer = self.helper.ask({"op": op, **fields}, seconds)
        if "error" not in answer:
            return answer
        about = f"{fields['path']} in {self.container.name}" if "path" in fields else self.container.name
        if answer["error"] in NOT_THERE:
            failed = f"{about} is not there"
            raise AbsentError(failed, seen=answer["detail"], why="there is nothing to ask about")
        failed = f"the helper container could not look at {about}"
        raise HelperError(failed, seen=answer["detail"], why="what it was asked stays unknown")

    def facts(self, path: str, *, follow: bool = True) -> Facts | None:
        """Give what the kernel says about a file, or about what a link leads to; None where there is none."""
        try:
            return self.require(path, follow=follow)
        except AbsentError:
            return None

    def require(self, path: str, *, follow: bool = True) -> Facts:
        """Give what the kernel says about a file; raise AbsentError where there is none."""
        seen = self.ask("facts", path=path, follow=follow)
        return Facts(
            seen["mode"], seen["uid"], seen["gid"], seen["size"], modified=seen["modified"], inode=seen["inode"]
        )

    def read(self, path: str) -> bytes:
        """Give the content of a file; raise AbsentError where there is none, QuestionError where it is too large."""
        pieces: list[bytes] = []
        size = 0
        while piece := base64.b64decode(self.ask("read", path=path, offset=size, size=PIECE)["data"]):
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST:
                failed = f"{path} in {self.container.name} is larger than {LARGEST:,} bytes"
                raise QuestionError(failed, why="it is not read into memory", do="ask for its size or sha256sum")
        return b"".join(pieces)

    def read_if_there(self, path: str) -> bytes | None:
        """Give the content of a file; None where there is none."""
        try:
            return self.read(path)
        except AbsentError:
            return None

    def text(self, path: str) -> str:
        """Give the content of a small file as text; empty where there is none."""
        return (self.read_if_there(path) or b"").decode("utf-8", "surrogateescape")

    @property
    def accounts(self) -> Accounts:
        """The users and groups that its files name, as they are now."""
        return accounts.read(self.read_if_there("/etc/passwd"), self.read_if_there("/etc/group"))

    @property
    def identity(self) -> Identity:
        """Who a command in it runs as: the user that was asked for, else the container's."""
        about = self.about
        text = str(about["Config"].get("User") or "") if self._user is None else self._user
        found = accounts.identity(self.accounts, text, about["HostConfig"].get("GroupAdd") or ())
        if found is None:
            failed = f"{self.container.name} does not know the user {text!r}"
            raise QuestionError(failed, seen="no such line in its /etc/passwd or /etc/group", why="nothing runs as it")
        return found

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the engine knows about the container; of what cannot change while it runs."""
        return self.container.inspect()

    @property
    def user(self) -> str | None:
        """The user that was asked for; None: the container's own."""
        return self._user

    def environment(self) -> dict[str, str]:
        """Give the variables that a command in it is started with, as the engine sets them."""
        about = self.about["Config"]
        given = {"PATH": DEFAULT_PATH, "HOSTNAME": str(about.get("Hostname") or "")}
        given |= dict(line.split("=", 1) for line in about.get("Env") or () if "=" in line)
        given.setdefault("HOME", self.identity.home or "/")
        return given

    def is_executable(self, path: str, *, identity: Identity | None = None) -> bool:
        """Tell whether the user of its commands may execute a path, or enter it where it is a folder."""
        who = identity or self.identity
        return bool(self.ask("executable", path=path, uid=who.uid, gid=who.gid, groups=who.gids)["may"])

    def find_program(self, name: str, folders: list[str] | None = None) -> str | None:
        """Find a program as a command in it would: by PATH, or by its path. None where there is none."""
        if "/" in name:
            candidates = [name]
        else:
            searched = self.environment()["PATH"].split(":") if folders is None else folders
            candidates = [posixpath.join(folder or ".", name) for folder in searched]
        identity = self.identity
        return next((path for path in candidates if name and self._is_program(path, identity)), None)

    def _is_program(self, path: str, identity: Identity) -> bool:
        facts = self.facts(path)
        return facts is not None and stat.S_ISREG(facts.mode) and self.is_executable(path, identity=identity)

    def require_running(self, what: str) -> None:
        """Raise ContainerError if it has ended, or is gone."""
        if not self.container.state().running:
            raise self.container.ended_too_early(what)

    def __enter__(self) -> Self:
        """Hand out the inside itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove the helper, also after Ctrl-C."""
        self.remove()

    def remove(self) -> None:
        """Remove the helper."""
        self.helper.remove()


def look_into(container: Container, helper_image: str, run: Run, user: str | None = None) -> Inside:
    """Start a helper beside a running container, and change into the container's root and working directory."""
    helper = attach(container, helper_image, run, program=PROGRAM)
    inside = Inside(container, helper, user)
    try:
        folder = str(inside.about["Config"].get("WorkingDir") or "/")
        inside.ask("enter", folder=folder)
    except AbsentError as error:
        helper.remove()
        failed = f"the working directory of {container.name} is gone"
        raise ContainerError(failed, seen=error.seen, why="no command can be started in it") from error
    except BaseException:
        helper.remove()
        raise
    return inside


def inside_of(host: Any) -> Inside:  # noqa: ANN401 -- any host of testinfra
    """Give the inside of a testinfra host whose backend is one of ours."""
    return cast("Inside", host.backend.inside)
