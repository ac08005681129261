"""What the helper saw, as data."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 -- compared with, not listened on
LOOPBACKS = ("127.", "::1", "::ffff:127.")


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, or what came instead of one."""

    status: int
    """0 where there was no HTTP answer."""
    headers: Sequence[tuple[str, str]]
    body: bytes
    seconds: float
    ended: float
    """When it had come in full, by the helper's clock."""
    error: str = ""
    """"refused", "closed", "cut-off", "timeout", "not-http", or the system's name of another error."""
    detail: str = ""

    @classmethod
    def of(cls, seen: Mapping[str, Any]) -> Answer:
        """Read the helper's words."""
        return cls(
            status=seen.get("status", 0),
            headers=tuple((str(name), str(value)) for name, value in seen.get("headers", ())),
            body=base64.b64decode(seen.get("body", "")),
            seconds=seen["seconds"],
            ended=seen["ended"],
            error=seen.get("error", ""),
            detail=seen.get("detail", ""),
        )

    def all(self, name: str) -> list[str]:
        """Give every value of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """Give the value of a header that may stand there once."""
        found = self.all(name)
        return ", ".join(found) if found else None

    @property
    def media_type(self) -> str:
        """Give the type without its parameters."""
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """Give the body as text; it must be UTF-8."""
        return self.body.decode()

    def json(self) -> Any:  # noqa: ANN401 -- whatever the service said
        """Give the body read as JSON."""
        return json.loads(self.body)

    def __str__(self) -> str:
        """Say in a few words what came."""
        return f"no answer ({self.error}: {self.detail})" if self.error else f"status {self.status}"


@dataclass(frozen=True)
class ListeningSocket:
    """A socket that a process of the target listens on."""

    protocol: str
    """"tcp" or "udp"."""
    address: str
    port: int
    owners: tuple[int, ...]
    """The processes that hold it, by their numbers inside the container."""

    @property
    def everywhere(self) -> bool:
        """Tell whether it listens on all interfaces."""
        return self.address in EVERYWHERE

    @property
    def loopback_only(self) -> bool:
        """Tell whether nothing from outside the container can reach it."""
        return self.address.startswith(LOOPBACKS)

    def __str__(self) -> str:
        """Write it as people do."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}/{self.protocol}"


@dataclass(frozen=True)
class Process:
    """A process of the target, as the kernel describes it."""

    pid: int
    cmdline: tuple[str, ...]
    status: Mapping[str, str]
    program: str = ""
    """The file that it runs; empty for one that has ended."""
    files: int = 0
    """How many files and sockets it holds open, where that was asked for."""

    @classmethod
    def of(cls, seen: Mapping[str, Any]) -> Process:
        """Read the helper's words."""
        return cls(seen["pid"], tuple(seen["cmdline"]), seen["status"], seen["program"], seen.get("files", 0))

    @property
    def name(self) -> str:
        """Give the kernel's short name of it."""
        return self.status["Name"]

    @property
    def uid(self) -> int:
        """Give the effective user."""
        return int(self.status["Uid"].split()[1])

    @property
    def gid(self) -> int:
        """Give the effective group."""
        return int(self.status["Gid"].split()[1])

    @property
    def users(self) -> frozenset[int]:
        """Give every user that it is in any way: real, effective, saved, and towards files."""
        return frozenset(int(word) for word in self.status["Uid"].split())

    @property
    def groups(self) -> frozenset[int]:
        """Give every group that it is in any way, those that were only added left out."""
        return frozenset(int(word) for word in self.status["Gid"].split())

    @property
    def parent(self) -> int:
        """Give the number of its parent; 0 where that is outside of the container."""
        return int(self.status["PPid"])

    @property
    def threads(self) -> int:
        """Give the number of its threads."""
        return int(self.status.get("Threads", "0"))

    @property
    def is_zombie(self) -> bool:
        """Tell whether it has ended, and its parent has not asked how."""
        return self.status["State"].startswith("Z")

    @property
    def capabilities(self) -> int:
        """Give the effective capabilities, as the kernel's bits."""
        return int(self.status["CapEff"], 16)

    @property
    def ever_capable(self) -> bool:
        """Tell whether any of its sets holds a capability: those that it has, and those that it could still get."""
        return any(int(value, 16) for name, value in self.status.items() if name.startswith("Cap"))

    @property
    def no_new_privileges(self) -> bool:
        """Tell whether neither it nor its children can ever gain any privilege."""
        return self.status.get("NoNewPrivs") == "1"

    @property
    def seccomp(self) -> bool:
        """Tell whether its system calls are filtered."""
        return self.status.get("Seccomp") == "2"


@dataclass(frozen=True)
class OpenFile:
    """A regular file that a process of the target holds open for writing."""

    pid: int
    path: str
    size: int


@dataclass(frozen=True)
class Unrouted:
    """How often anybody in the target's network asked for a way to an address that has none."""

    ipv4: int
    ipv6: int
    control: bool
    """Whether the counters noticed a try of the helper's own."""


@dataclass(frozen=True)
class Kept:
    """A connection that was left open."""

    closed_at: float | None
    """When the other side closed it, by the helper's clock; None while it is open."""
    received: bytes
    """What came after the first answer."""
