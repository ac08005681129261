"""host.process, as testinfra documents it: processes by the keywords of ps(1), read from the kernel."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from testinfra.modules.process import Process, int_or_float

from stageproof.errors import QuestionError
from stageproof.testinfra.accounts import Accounts
from stageproof.testinfra.inside import AbsentError, Inside, inside_of

ALWAYS = ("pid", "comm", "pcpu", "pmem", "lstart", "args")
"""What testinfra asks of every process."""
DAY, HOUR, MINUTE = 86400, 3600, 60
POLICIES = {0: "TS", 1: "FF", 2: "RR", 3: "B", 5: "IDL", 6: "DLN"}
"""Classes of scheduling, as ps(1) writes those of sched(7)."""
FIRST_PTS, LAST_PTS, CONSOLE = 136, 143, 4
"""Majors of pseudo terminals, and of the console's (Linux: Documentation/admin-guide/devices.txt)."""


@dataclass(frozen=True)
class Machine:
    """What a process's figures are measured with."""

    memory: int
    """Bytes."""
    boot: int
    """Seconds since 1970."""
    uptime: float
    ticks: int
    """A second."""
    page: int
    """Bytes."""


@dataclass(frozen=True)
class Row:
    """One process, as /proc/PID/stat, status and cmdline tell it (proc_pid_stat(5), proc_pid_status(5))."""

    stat: str
    status_text: str
    cmdline: str
    machine: Machine
    accounts: Accounts

    @cached_property
    def fields(self) -> list[str]:
        """The fields of stat from the third on: 0 is the state. The second may hold spaces and brackets itself."""
        return self.stat.rpartition(")")[2].split()

    @cached_property
    def status(self) -> Mapping[str, str]:
        """The fields of status."""
        lines = (line.partition(":") for line in self.status_text.splitlines())
        return {name: value.strip() for name, _, value in lines}

    def number(self, place: int) -> int:
        """Give a field of stat, counted as its manual page does."""
        return int(self.fields[place - 3])

    @property
    def pid(self) -> int:
        """The number inside the container."""
        return int(self.stat.split(None, 1)[0])

    @property
    def comm(self) -> str:
        """The kernel's short name."""
        name = self.stat[self.stat.index("(") + 1 : self.stat.rindex(")")]
        return f"{name} <defunct>" if self.fields[0] == "Z" else name

    @property
    def args(self) -> str:
        """The command line."""
        words = self.cmdline.rstrip("\0").replace("\0", " ")
        return words or f"[{self.comm.removesuffix(' <defunct>')}]" + (" <defunct>" if self.fields[0] == "Z" else "")

    @property
    def running_seconds(self) -> float:
        """How long it has run."""
        return max(0.0, self.machine.uptime - self.number(22) / self.machine.ticks)

    @property
    def cpu_seconds(self) -> int:
        """Processor time, in whole seconds."""
        return (self.number(14) + self.number(15)) // self.machine.ticks

    @property
    def started(self) -> str:
        """When it was started, in UTC."""
        moment = time.gmtime(self.machine.boot + self.number(22) // self.machine.ticks)
        return time.strftime(f"%a %b {moment.tm_mday} %H:%M:%S %Y", moment)

    @property
    def cpu_share(self) -> str:
        """Per cent of one processor since the start."""
        ticks = self.number(14) + self.number(15)
        seconds = self.running_seconds
        return f"{ticks / self.machine.ticks / seconds * 100 if seconds else 0:.1f}"

    @property
    def terminal(self) -> str:
        """The controlling terminal, without /dev/; "?" where there is none."""
        device = self.number(7)
        major, minor = device >> 8 & 0xFFF, device & 0xFF | device >> 12 & 0xFFF00
        if FIRST_PTS <= major <= LAST_PTS:
            return f"pts/{minor + (major - FIRST_PTS) * 256}"
        return f"tty{minor}" if major == CONSOLE else "?"

    @property
    def state(self) -> str:
        """The state with ps's marks: < and N for its priority, L locked pages, s leader, l threads, + foreground."""
        nice, locked = self.number(19), self.status.get("VmLck", "0 kB").split()[0] != "0"
        marks = (
            ("<", nice < 0),
            ("N", nice > 0),
            ("L", locked),
            ("s", self.number(6) == self.pid),
            ("l", self.number(20) > 1),
            ("+", self.number(8) == self.number(5)),
        )
        return self.fields[0] + "".join(mark for mark, holds in marks if holds)

    def user(self, which: int) -> str:
        """Give the name of its real (0), effective (1), saved (2) or file system (3) user, or the number."""
        uid = self.status["Uid"].split()[which]
        return self.accounts.user_name(int(uid)) or uid

    def group(self, which: int) -> str:
        """Give the name of the like group, or the number."""
        gid = self.status["Gid"].split()[which]
        return self.accounts.group_name(int(gid)) or gid


def _clock(seconds: float, *, hours: bool) -> str:
    """Write [[DD-]hh:]mm:ss; with `hours` these stand there always."""
    days, rest = divmod(int(seconds), DAY)
    clock = f"{rest // HOUR:02}:{rest % HOUR // MINUTE:02}:{rest % MINUTE:02}"
    if days:
        return f"{days}-{clock}"
    return clock if hours or rest >= HOUR else clock[3:]


def _numbers(row: Row, name: str, which: int) -> str:
    return row.status[name].split()[which]


_KEYWORDS: dict[tuple[str, ...], Callable[[Row], object]] = {
    ("pid", "tgid"): lambda row: row.pid,
    ("ppid",): lambda row: row.number(4),
    ("pgid", "pgrp"): lambda row: row.number(5),
    ("sid", "sess", "session"): lambda row: row.number(6),
    ("tpgid",): lambda row: row.number(8),
    ("comm", "ucmd", "ucomm"): lambda row: row.comm,
    ("args", "cmd", "command"): lambda row: row.args,
    ("user", "euser", "uname"): lambda row: row.user(1),
    ("ruser",): lambda row: row.user(0),
    ("suser",): lambda row: row.user(2),
    ("fuser",): lambda row: row.user(3),
    ("group", "egroup"): lambda row: row.group(1),
    ("rgroup",): lambda row: row.group(0),
    ("sgroup",): lambda row: row.group(2),
    ("fgroup",): lambda row: row.group(3),
    ("uid", "euid"): lambda row: _numbers(row, "Uid", 1),
    ("ruid",): lambda row: _numbers(row, "Uid", 0),
    ("suid", "svuid"): lambda row: _numbers(row, "Uid", 2),
    ("fsuid", "fuid"): lambda row: _numbers(row, "Uid", 3),
    ("gid", "egid"): lambda row: _numbers(row, "Gid", 1),
    ("rgid",): lambda row: _numbers(row, "Gid", 0),
    ("sgid", "svgid"): lambda row: _numbers(row, "Gid", 2),
    ("fsgid", "fgid"): lambda row: _numbers(row, "Gid", 3),
    ("supgid",): lambda row: ",".join(row.status["Groups"].split()) or "-",
    ("pcpu", "%cpu"): lambda row: row.cpu_share,
    ("pmem", "%mem"): lambda row: f"{row.number(24) * row.machine.page / row.machine.memory * 100:.1f}",
    ("rss", "rssize", "rsz"): lambda row: row.number(24) * row.machine.page // 1024,
    ("vsz", "vsize"): lambda row: row.number(23) // 1024,
    ("state", "s"): lambda row: row.fields[0],
    ("stat",): lambda row: row.state,
    ("tty", "tt", "tname"): lambda row: row.terminal,
    ("nice", "ni"): lambda row: row.number(19),
    ("pri",): lambda row: 39 - row.number(18),
    ("rtprio",): lambda row: row.number(40) or "-",
    ("cls", "class", "policy"): lambda row: POLICIES.get(row.number(41), "?"),
    ("psr",): lambda row: row.number(39),
    ("nlwp", "thcount"): lambda row: row.number(20),
    ("minflt", "min_flt"): lambda row: row.number(10),
    ("majflt", "maj_flt"): lambda row: row.number(12),
    ("time", "cputime"): lambda row: _clock(row.cpu_seconds, hours=True),
    ("times", "cputimes"): lambda row: row.cpu_seconds,
    ("etime",): lambda row: _clock(row.running_seconds, hours=False),
    ("etimes",): lambda row: int(row.running_seconds),
    ("lstart",): lambda row: row.started,
}
KEYWORDS = {name: value for names, value in _KEYWORDS.items() for name in names}
"""What can be asked of a process: keywords of ps(1), with the same values."""


class ContainerProcess(Process):
    """The processes of a container, and of nothing beside it."""

    def _get_processes(self, **filters: object) -> list[dict[str, Any]]:
        wanted = dict.fromkeys([*ALWAYS, *filters])
        return [{name: _value(row, name) for name in wanted} for row in rows(inside_of(self._host))]

    def _get_process_attribute_by_pid(self, pid: int, name: str) -> dict[str, Any]:
        if name.startswith("_"):
            raise AttributeError(name)  # what Python itself looks for is no keyword
        row = next((row for row in rows(inside_of(self._host)) if row.pid == pid), None)
        if row is None:
            failed = f"the process {pid} has ended"
            raise AbsentError(failed, why=f"its {name} cannot be told any more")
        return {"lstart": _value(row, "lstart"), name: _value(row, name)}


def rows(inside: Inside) -> list[Row]:
    """Read the processes, the first one first."""
    seen = inside.ask("processes", container=inside.container.id)
    machine = Machine(seen["memory"], seen["boot"], seen["uptime"], seen["ticks"], seen["page"])
    accounts = inside.accounts
    found = [Row(one["stat"], one["status"], one["cmdline"], machine, accounts) for one in seen["processes"]]
    return sorted(found, key=lambda row: row.pid)


def _value(row: Row, name: str) -> object:
    if name not in KEYWORDS:
        failed = f"{name!r} cannot be asked of a process"
        raise QuestionError(failed, seen=f"known: {', '.join(sorted(KEYWORDS))}", do="host.file can read /proc/PID/...")
    return int_or_float(str(KEYWORDS[name](row)))
