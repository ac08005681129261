"""Control groups of both versions, read from the files that kernels write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pytest

from stageproof.errors import HelperError
from stageproof.live import Helper, cgroup

ONE = {
    "memory/memory.limit_in_bytes": "64000000",
    "memory/memory.usage_in_bytes": "50000000",
    "memory/memory.stat": "cache 9\ninactive_file 1\ntotal_inactive_file 20000000",
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2",
    "pids/pids.max": "32",
    "pids/pids.events": "max 3",
    "pids/pids.current": "5",
    "cpuacct/cpuacct.usage": "1500000000",
    "cpu/cpu.cfs_quota_us": "50000",
    "cpu/cpu.cfs_period_us": "100000",
}
TWO = {
    "memory.max": "64000000",
    "memory.current": "50000000",
    "memory.stat": "anon 9\ninactive_file 20000000",
    "memory.events": "low 0\nhigh 0\nmax 7\noom 2\noom_kill 2",
    "pids.max": "32",
    "pids.events": "max 3",
    "pids.current": "5",
    "cpu.stat": "usage_usec 1500000\nuser_usec 1",
    "cpu.max": "50000 100000",
}
FREE_ONE = {
    "memory/memory.limit_in_bytes": "9223372036854771712",
    "pids/pids.max": "max",
    "cpu/cpu.cfs_quota_us": "-1",
    "cpu/cpu.cfs_period_us": "100000",
}
FREE_TWO = {"memory.max": "max", "pids.max": "max", "cpu.max": "max 100000"}


class Files:
    """Stands where the helper stands, and has these files."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = {cgroup.ROOT + name: f"{text}\n" for name, text in files.items()}

    def read(self, path: str) -> str | None:
        return self.files.get(path)


def of(files: Mapping[str, str]) -> Helper:
    return cast("Helper", Files(files))


@pytest.mark.parametrize("files", [ONE, TWO], ids=["version 1", "version 2"])
def test_what_the_kernel_grants_and_counts_is_read(files: Mapping[str, str]) -> None:
    helper = of(files)
    assert (cgroup.memory_limit(helper), cgroup.memory_used(helper)) == (64_000_000, 30_000_000)
    assert cgroup.memory_kills(helper) == 2
    assert (cgroup.pids_limit(helper), cgroup.pids_refused(helper), cgroup.pids_used(helper)) == (32, 3, 5)
    assert (cgroup.cpu_seconds(helper), cgroup.cpus(helper)) == (1.5, 0.5)


@pytest.mark.parametrize("files", [FREE_ONE, FREE_TWO], ids=["version 1", "version 2"])
def test_no_limit_is_none(files: Mapping[str, str]) -> None:
    helper = of(files)
    assert (cgroup.memory_limit(helper), cgroup.pids_limit(helper), cgroup.cpus(helper)) == (None, None, None)


def test_what_is_not_there_is_unknown_and_not_zero() -> None:
    with pytest.raises(HelperError, match=r"has no memory\.events and no memory/memory\.oom_control"):
        cgroup.memory_kills(of({}))
    with pytest.raises(HelperError, match="does not tell oom_kill"):
        cgroup.memory_kills(of({"memory.events": "low 0"}))
