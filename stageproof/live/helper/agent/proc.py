"""What the kernel tells of the target: processes, sockets, files. Everything is read below /proc."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LISTENING, UDP_UNCONNECTED = "0A", "07"
PROTOCOLS = ("tcp", "tcp6", "udp", "udp6")
GONE = (FileNotFoundError, ProcessLookupError)
MOST = 1 << 20
"""How many bytes of one file are given at most."""

Json = dict[str, Any]


def rows(process: str, protocol: str) -> list[Json]:
    """Read one table of sockets of a process's network namespace; there is none for IPv6 where that is off."""
    table = Path(f"/proc/{process}/net/{protocol}")
    return [row(protocol, line.split()) for line in table.read_text().splitlines()[1:]] if table.exists() else []


def row(protocol: str, words: list[str]) -> Json:
    """Read one line of such a table."""
    address, port = words[1].split(":")
    return {
        "protocol": protocol,
        "address": address_text(address),
        "port": int(port, 16),
        "remote_port": int(words[2].split(":")[1], 16),
        "state": words[3],
        "unread": int(words[4].split(":")[1], 16),
        "inode": int(words[9]),
    }


def address_text(hexadecimal: str) -> str:
    """Turn the kernel's words of an address (each in the machine's byte order) into the usual text."""
    starts = range(0, len(hexadecimal), 8)
    packed = b"".join(int(hexadecimal[start : start + 8], 16).to_bytes(4, sys.byteorder) for start in starts)
    return socket.inet_ntop(socket.AF_INET if len(starts) == 1 else socket.AF_INET6, packed)


def sockets() -> Json:
    """Find the listening sockets of the target's processes, each with its owners."""
    owners = socket_owners()
    found = [
        one | {"owners": owners[one["inode"]]}
        for protocol in PROTOCOLS
        for one in rows("1", protocol)
        if one["state"] == (UDP_UNCONNECTED if protocol.startswith("udp") else LISTENING) and one["inode"] in owners
    ]
    return {"sockets": found}


def pids() -> list[int]:
    """Give the target's processes: those that see the same files as its first one, which this helper does not."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(*GONE):
            if entry.name.isdigit() and (entry / "ns/mnt").readlink() == Path("/proc/1/ns/mnt").readlink():
                found.append(int(entry.name))
    return sorted(found)


def open_files(pid: int) -> Iterator[tuple[int, str]]:
    """Give the numbers of a process's open files, and what they lead to; what is closed meanwhile is left out."""
    with contextlib.suppress(*GONE):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(*GONE):
                yield int(entry.name), str(entry.readlink())


def socket_owners() -> dict[int, list[int]]:
    """Map a socket's inode to the target's processes that hold it open."""
    owners: dict[int, list[int]] = {}
    for pid in pids():
        for _, target in open_files(pid):
            if match := re.fullmatch(r"socket:\[(\d+)\]", target):
                owners.setdefault(int(match[1]), []).append(pid)
    return owners


def open_for_writing() -> list[Json]:
    """Find the regular files, also deleted ones, that the target's processes hold open for writing."""
    found = []
    for pid in pids():
        for number, target in open_files(pid):
            with contextlib.suppress(*GONE):
                flags = re.search(r"flags:\s+(\d+)", Path(f"/proc/{pid}/fdinfo/{number}").read_text())
                seen = Path(f"/proc/{pid}/fd/{number}").stat()
                if flags and int(flags[1], 8) & os.O_ACCMODE and stat.S_ISREG(seen.st_mode):
                    found.append({"pid": pid, "path": target, "size": seen.st_size})
    return found


def sizes(paths: list[str]) -> dict[str, int | None]:
    """Give the sizes of regular files of the target; None for what is none."""
    found: dict[str, int | None] = dict.fromkeys(paths)
    for path in paths:
        with contextlib.suppress(*GONE, NotADirectoryError):
            seen = Path(f"/proc/1/root{path}").lstat()
            found[path] = seen.st_size if stat.S_ISREG(seen.st_mode) else None
    return found


def read(path: str) -> Json:
    """Read the beginning of one file below /proc; None if there is none."""
    if not path.startswith("/proc/") or ".." in path:
        message = f"{path} is not below /proc"
        raise ValueError(message)
    try:
        with Path(path).open("rb") as file:
            return {"text": file.read(MOST).decode(errors="replace")}
    except FileNotFoundError:
        return {"text": None}


def processes() -> list[Json]:
    """Read the target's first process and all that come from it, with the number of their open files.

    What the engine starts beside it (a health command, an exec) has its parent outside, and is not the target's own.
    """
    found: dict[int, Json] = {}
    for pid in pids():
        with contextlib.suppress(*GONE):
            found[pid] = process(pid) | {"files": sum(1 for _ in open_files(pid))}
    return [one for one in found.values() if _comes_from_first(one, found)]


def _comes_from_first(one: Json, found: dict[int, Json]) -> bool:
    while one["pid"] != 1:
        parent = found.get(int(one["status"]["PPid"]))
        if parent is None:
            return False
        one = parent
    return True


def process(pid: int) -> Json:
    """Read one process: its command line (arguments, each ended by a zero byte), program, and fields of its status."""
    folder = Path(f"/proc/{pid}")
    words = (folder / "cmdline").read_bytes().decode(errors="replace").removesuffix("\0").split("\0")
    lines = (folder / "status").read_text().splitlines()
    status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    try:
        program = str((folder / "exe").readlink())
    except FileNotFoundError:
        program = ""  # a zombie has none
    return {"pid": pid, "cmdline": words, "program": program, "status": status}


def hello() -> Json:
    """Prove that this is the target's network, and that the target's first process is seen."""
    seen = process(1)
    same = Path("/proc/1/ns/net").readlink() == Path("/proc/self/ns/net").readlink()
    return {"pid": os.getpid(), "same_network": same, "cmdline": seen["cmdline"]}


def zombies() -> list[Json]:
    """Read every process of the namespace that has ended and not been asked how, whoever started it."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(*GONE):
            if entry.name.isdigit() and re.search(r"^State:\s+Z", (entry / "status").read_text(), re.MULTILINE):
                found.append(process(int(entry.name)))
    return found
