"""Whose a container is: the labels by which a run finds its own containers again, and those of dead runs."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

RUN_LABEL = "dev.stageproof.run"
OWNER_LABEL = "dev.stageproof.owner"


@dataclass(frozen=True)
class Owner:
    """The process that made a container, so exactly that no later process is taken for it."""

    machine: str
    """The host's name and the process-number namespace: elsewhere the same number is another process."""
    boot: str
    pid: int
    started: str
    """The process's start time, in the kernel's clock ticks since the boot."""

    def __str__(self) -> str:
        """Give the value of the label."""
        return f"{self.machine} {self.boot} {self.pid} {self.started}"

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """Read the value of the label; None if this is none."""
        match text.split(" "):
            case [machine, boot, pid, started] if pid.isdigit():
                return cls(machine, boot, int(pid), started)
        return None

    @classmethod
    def this_process(cls) -> Owner:
        """Describe the process that asks."""
        return cls(_machine(), _boot(), os.getpid(), start_time(os.getpid()) or "-")

    def is_dead(self) -> bool | None:
        """Tell whether the process has ended; None if that cannot be seen from here."""
        if self.machine != _machine():
            return None
        if self.boot != _boot():
            return True
        return start_time(self.pid) != self.started


@dataclass(frozen=True)
class Run:
    """One run of the harness: everything that it starts carries its labels."""

    id: str
    owner: Owner

    @classmethod
    def new(cls, run_id: str = "") -> Run:
        """Begin a run of this process; workers of one run share its id."""
        return cls(run_id or secrets.token_hex(4), Owner.this_process())

    @property
    def labels(self) -> dict[str, str]:
        """Give the labels of everything that this run starts."""
        return {RUN_LABEL: self.id, OWNER_LABEL: str(self.owner)}

    def new_name(self) -> str:
        """Make up a container's name: known before the container is, so that it can be removed at any moment."""
        return f"stageproof-{self.id}-{secrets.token_hex(4)}"


@cache
def _machine() -> str:
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = "-"
    return f"{socket.gethostname()}/{namespace}".replace(" ", "_")


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "-"


def start_time(pid: int) -> str | None:
    """Give the start time of a process, "-" where there is no /proc to tell it, None if there is no such process."""
    if not Path("/proc/self/stat").exists():
        return "-" if _exists(pid) else None
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the command in brackets, and may hold spaces and brackets itself; the start time is the 22nd.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
