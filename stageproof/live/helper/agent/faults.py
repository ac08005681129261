"""What may happen to a container, done to it on purpose: orphans, a full disk, a crash; and what it did unasked."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
import warnings
from pathlib import Path
from typing import Any

from . import proc

LARGEST = 64 << 20
"""A folder that takes more than this is not filled: it is no small tmpfs."""
END_SECONDS = 5.0
FILLING = ".stageproof-full"
AWAY = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of documentation (RFC 5737, RFC 3849): nobody has them."""

Json = dict[str, Any]
tries = {"ipv4": 0, "ipv6": 0}
"""How often this helper itself asked for a way out."""


def orphans(count: int) -> Json:
    """Make processes whose parent ends before them, let them end, and give their numbers.

    The kernel hands them to the first process of the namespace, which is the target's.
    """
    hold, release = os.pipe()
    tell, told = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the children below do nothing but system calls
        parent = os.fork()
    if parent == 0:
        os.close(release)
        for _ in range(count):
            child = os.fork()
            if child == 0:
                os.read(hold, 1)
                os._exit(0)
            os.write(told, f"{child} ".encode())
        os._exit(0)
    os.close(hold)
    os.close(told)
    os.waitpid(parent, 0)
    made = [int(word) for word in os.read(tell, 4096).split()]
    adopted = [proc.process(pid)["status"]["PPid"] == "1" for pid in made]
    os.close(tell)
    os.close(release)
    deadline = time.monotonic() + END_SECONDS
    while any(_is_alive(pid) for pid in made) and time.monotonic() < deadline:
        time.sleep(0.005)
    return {"pids": made, "adopted": all(adopted)}


def _is_alive(pid: int) -> bool:
    try:
        return not str(proc.process(pid)["status"]["State"]).startswith("Z")
    except proc.GONE:
        return False


def fill(folder: str) -> Json:
    """Fill a small file system of the target to its last byte."""
    path = Path(f"/proc/1/root{folder}")
    seen = os.statvfs(path)
    if path.is_symlink() or seen.f_bavail * seen.f_frsize > LARGEST:
        message = f"{folder} is no small file system of its own: {seen.f_bavail * seen.f_frsize} bytes are free"
        raise ValueError(message)
    number = os.open(path / FILLING, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(number, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(65536)):
            pass
    seen = os.statvfs(path)
    return {"free": seen.f_bavail * seen.f_frsize}


def unfill(folder: str) -> Json:
    """Give the room back."""
    Path(f"/proc/1/root{folder}/{FILLING}").unlink(missing_ok=True)
    return {}


def unrouted() -> Json:
    """Count how often anybody in this network asked for a way to an address that has none, since its beginning.

    `control` tells whether the same counters notice the helper's own try.
    """
    before = _unrouted()
    for family, address in AWAY:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as away:
            away.connect((address, 9))
    after = _unrouted()
    seen = {kind: before[kind] - tries[kind] for kind in before}
    for kind in after:
        tries[kind] += after[kind] - before[kind]
    return {"seen": seen, "control": after["ipv4"] > before["ipv4"]}


def _unrouted() -> dict[str, int]:
    names, values = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines()[:2])
    six = Path("/proc/net/snmp6")
    lines = dict(line.split() for line in six.read_text().splitlines()) if six.exists() else {}
    return {"ipv4": int(values[names.index("OutNoRoutes")]), "ipv6": int(lines.get("Ip6OutNoRoutes", 0))}


def crash(pid: int, container: str) -> Json:
    """End a process of a container as the kernel ends one that is out of memory; for a helper that sees all.

    From inside the container's own namespace the kernel spares the first process, and a signal of the engine counts as
    somebody's wish.
    """
    _send(pid, container, signal.SIGKILL)
    return {}


def hang(pid: int, container: str) -> Json:
    """Stop a container's first process, of this number here, and all that come from it; for a helper that sees all.

    What the engine executes in the container does not come from its first process.
    """
    stopped: set[int] = set()
    while left := {pid, *_below(pid)} - stopped:  # one that is not stopped yet may start another
        for each in left:
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                _send(each, container, signal.SIGSTOP)
        stopped |= left
    return {"stopped": len(stopped)}


def _below(pid: int) -> set[int]:
    """Give the numbers of all processes that come from one."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # After the name in brackets, which may hold anything: state, number of the parent.
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    found: set[int] = set()
    last = {pid}
    while last:
        last = {child for child, parent in parents.items() if parent in last}
        found |= last
    return found


def _send(pid: int, container: str, number: signal.Signals) -> None:
    """Send a signal to a process, of that container and of no other."""
    handle = os.pidfd_open(pid)
    try:
        if container not in Path(f"/proc/{pid}/cgroup").read_text():
            message = f"process {pid} is not one of the container {container}"
            raise ValueError(message)
        signal.pidfd_send_signal(handle, number)
    finally:
        os.close(handle)
