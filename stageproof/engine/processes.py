"""The private engine's processes: find them, end them, and clear what they leave in the kernel."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from stageproof.engine.home import Home, wait_until

SUPERVISOR = "stageproof.engine.supervisor"


def supervisor(home: Home) -> int | None:
    """Give the number of the living supervisor."""
    try:
        pid = int((home.run / "supervisor.pid").read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    ours = SUPERVISOR.encode() in words and os.fsencode(home.folder) in words
    return pid if ours else None


def daemon(home: Home) -> int | None:
    """Give the number of the living dockerd."""
    try:
        pid = int((home.run / "dockerd.pid").read_text())
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError):
        return None
    return pid if name == "dockerd" else None


def left(home: Home) -> list[int]:
    """List every process that runs in the engine's root file system or in one of its containers."""
    numbers = (int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit())
    return [pid for pid in numbers if _inside(pid, home) or _contained(pid, home)]


def _inside(pid: int, home: Home) -> bool:
    """Tell by the engine's folder, which only its own processes see at that place: numbers of namespaces come again."""
    try:
        return Path(f"/proc/{pid}/root/engine").samefile(home.folder)
    except OSError:
        return False


def _contained(pid: int, home: Home) -> bool:
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return False  # it ended in between
    return any(f"/{home.cgroup}/" in f"{line}/" for line in groups)


def end(home: Home, but: int | None = None) -> None:
    """End whatever is left, but for one process, and wait until it is gone."""

    def gone() -> bool:
        running = [pid for pid in left(home) if pid != but]
        for pid in running:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not running

    wait_until(gone, 10)


def clear_cgroups(home: Home) -> None:
    """Remove the empty control groups of the containers."""
    tops = [Path("/sys/fs/cgroup") / home.cgroup, *Path("/sys/fs/cgroup").glob(f"*/{home.cgroup}")]
    for top in tops:
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                continue  # a process is just leaving; the group is empty and harmless


def mounts_below(folder: Path) -> list[Path]:
    """List mounts below a folder that this process sees, the deepest first."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = (Path(line.split()[4].encode().decode("unicode_escape")) for line in lines)
    return sorted((point for point in points if point.is_relative_to(folder)), key=lambda one: -len(one.parts))


def delete_tree(folder: Path) -> None:
    """Delete a folder, never what is mounted below it: that is unmounted first."""
    for point in mounts_below(folder):
        subprocess.run(["umount", "-l", str(point)], check=True, capture_output=True)
    if folder.exists():
        shutil.rmtree(folder)
