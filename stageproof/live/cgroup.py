"""What the kernel grants a container, and what it has taken: read from its own control groups, of either version.

Sources: the kernel's Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
"""

from __future__ import annotations

from collections.abc import Sequence

from stageproof.errors import HelperError
from stageproof.live.helper import Helper

ROOT = "/proc/1/root/sys/fs/cgroup/"
"""As the target itself sees it."""
NANOSECONDS, MICROSECONDS = 1_000_000_000, 1_000_000
UNLIMITED = 1 << 62
"""Version 1 writes no limit as the largest number of whole pages."""


def memory_limit(helper: Helper) -> int | None:
    """Give the bytes that it may use; None if there is no limit."""
    return _limit(_one(helper, "memory.max", "memory/memory.limit_in_bytes"))


def memory_used(helper: Helper) -> int:
    """Give the bytes that it uses, without the file contents that the kernel would drop first."""
    used = int(_one(helper, "memory.current", "memory/memory.usage_in_bytes"))
    return used - _field(_one(helper, "memory.stat", "memory/memory.stat"), "total_inactive_file", "inactive_file")


def memory_kills(helper: Helper) -> int:
    """Count the processes that the kernel ended for want of memory."""
    return _field(_one(helper, "memory.events", "memory/memory.oom_control"), "oom_kill")


def pids_limit(helper: Helper) -> int | None:
    """Give how many processes and threads it may have; None if there is no limit."""
    return _limit(_one(helper, "pids.max", "pids/pids.max"))


def pids_refused(helper: Helper) -> int:
    """Count the processes and threads that the kernel refused it."""
    return _field(_one(helper, "pids.events", "pids/pids.events"), "max")


def pids_used(helper: Helper) -> int:
    """Give how many processes and threads it has."""
    return int(_one(helper, "pids.current", "pids/pids.current"))


def cpu_seconds(helper: Helper) -> float:
    """Give the processor time that all its processes have taken."""
    text = helper.read(ROOT + "cpuacct/cpuacct.usage")
    if text is not None:
        return int(text) / NANOSECONDS
    return _field(_one(helper, "cpu.stat"), "usage_usec") / MICROSECONDS


def cpus(helper: Helper) -> float | None:
    """Give how many processors' time it may take; None if there is no limit."""
    quota, _, period = _one(helper, "cpu.max", "cpu/cpu.cfs_quota_us").partition(" ")
    period = period or _one(helper, "cpu/cpu.cfs_period_us")
    return None if quota in {"max", "-1"} else int(quota) / int(period)


def _limit(text: str) -> int | None:
    return None if text == "max" or int(text) >= UNLIMITED else int(text)


def _one(helper: Helper, *names: str) -> str:
    """Read the first file that there is; raise HelperError if there is none."""
    for name in names:
        text = helper.read(ROOT + name)
        if text is not None:
            return text.strip()
    failed = f"the container's control group has no {' and no '.join(names)}"
    raise HelperError(failed, why="what the kernel granted it stays unknown")


def _field(text: str, *names: str) -> int:
    """Give the first of these fields of `name value` lines; raise HelperError if there is none."""
    fields = dict(line.split(maxsplit=1) for line in text.splitlines() if " " in line)
    for name in names:
        if name in fields:
            return int(fields[name])
    raise _absent(names, text)


def _absent(names: Sequence[str], text: str) -> HelperError:
    failed = f"the container's control group does not tell {' or '.join(names)}"
    return HelperError(failed, seen=text[:200], why="what the kernel did to it stays unknown")
