"""The program that looks at a target from the target's own root. It runs in the helper container, handed in as source.

One JSON object a line on standard input, one answer a line on standard output; it ends with its input. It changes into
the target's root before the first question, so every path is the kernel's to resolve there, links and mounts included.
From then on it imports nothing: what the target calls a library must not run here.

What the system says about a path is an answer: {"error": "ENOENT", ...}. A failure of the program is {"fault": "..."}.
Standard library only.
"""

# A Path drops what the kernel does not: the last slash of a name that is no folder.
# ruff: noqa: PTH116, PTH120, PTH208

from __future__ import annotations

import base64
import ctypes
import errno
import hashlib
import json
import os
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

Json = dict[str, Any]

TARGET = "/proc/1/root"
GREP = "/usr/bin/grep"
WITHOUT_WAITING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""A pipe that nobody writes to is empty; opening it must not wait for a writer."""

CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, DUMP_REQUEST = 4, 20, 0x301
NLMSG_ERROR, NLMSG_DONE = 2, 3
INET_DIAG_SKV6ONLY = 11
STATES = {1: "established", 7: "unconnected", 10: "listening"}
HEADER, ADDRESSES_AT, ATTRIBUTES_AT = 16, 4, 72
UNIX_LISTENING, UNIX_STREAM, UNIX_CONNECTED = 0x10000, 1, 3
UNIX_FIELDS = 7


def enter(ask: Json, _own: int) -> Json:
    """Take the target's working directory for relative paths."""
    os.chdir(ask["folder"])
    return {}


def hello(_ask: Json, _own: int) -> Json:
    """Prove that this is the target's network, and that the target's first process is seen."""
    words = Path("/proc/1/cmdline").read_bytes().decode(errors="replace").removesuffix("\0").split("\0")
    same = Path("/proc/1/ns/net").readlink() == Path("/proc/self/ns/net").readlink()
    system = os.uname()
    return {
        "pid": os.getpid(),
        "same_network": same,
        "cmdline": words,
        "system": system.sysname,
        "machine": system.machine,
    }


def facts(ask: Json, _own: int) -> Json:
    """Tell what `stat` tells about a path, of what a link leads to unless told otherwise."""
    seen = os.stat(ask["path"], follow_symlinks=ask.get("follow", True))
    return {
        "mode": seen.st_mode,
        "uid": seen.st_uid,
        "gid": seen.st_gid,
        "size": seen.st_size,
        "modified": seen.st_mtime_ns // 10**9,
        "inode": seen.st_ino,
    }


def read(ask: Json, _own: int) -> Json:
    """Give a piece of a file: at most `size` bytes from `offset`; an empty piece is its end."""
    with open(ask["path"], "rb", buffering=0, opener=_open) as file:
        if ask["offset"]:
            file.seek(ask["offset"])
        piece = file.read(ask["size"])
    return {"data": base64.b64encode(piece or b"").decode()}


def digest(ask: Json, _own: int) -> Json:
    """Give the digest of a file's content."""
    with open(ask["path"], "rb", opener=_open) as file:
        return {"digest": hashlib.file_digest(file, ask["algorithm"]).hexdigest()}


def grep(ask: Json, own: int) -> Json:
    """Search a file with grep: 0 found, 1 not found, 2 it could not search. The program is this container's own."""

    def back() -> None:
        os.fchdir(own)
        os.chroot(".")

    with open(ask["path"], "rb", opener=_open) as file:
        found = subprocess.run(
            [GREP, "-q", "--", os.fsencode(ask["pattern"])],
            stdin=file,
            capture_output=True,
            check=False,
            preexec_fn=back,  # there is one thread only
            env={"LC_ALL": "C"},
        )
    return {"code": found.returncode, "detail": found.stderr.decode(errors="replace")}


def names(ask: Json, _own: int) -> Json:
    """List a folder."""
    return {"names": os.listdir(ask["path"])}


def real(ask: Json, _own: int) -> Json:
    """Follow every link of a path; as with realpath(1), only its last part may be missing."""
    resolved = os.path.realpath(ask["path"])
    try:
        os.stat(ask["path"])
    except FileNotFoundError:
        os.stat(os.path.dirname(resolved))
    return {"path": resolved}


def executable(ask: Json, _own: int) -> Json:
    """Tell whether a user may execute a path, as access(2) decides it for that user and those groups."""
    try:
        seen = os.stat(ask["path"])
    except PermissionError:
        raise
    except OSError:
        return {"may": False}
    if ask["uid"] == 0 and _target_capabilities() >> CAP_DAC_OVERRIDE & 1:
        forbidden = stat.S_ISREG(seen.st_mode) and os.statvfs(ask["path"]).f_flag & os.ST_NOEXEC
        return {"may": not forbidden and (stat.S_ISDIR(seen.st_mode) or bool(seen.st_mode & 0o111))}
    child = os.fork()
    if not child:
        os._exit(_try_access(ask))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (0, 1):
        message = f"the process that became uid {ask['uid']} ended with {code}"
        raise RuntimeError(message)
    return {"may": code == 0}


def _try_access(ask: Json) -> int:
    """Become the user, without capabilities, and ask the kernel."""
    try:
        os.setgroups(ask["groups"])
        os.setgid(ask["gid"])
        os.setuid(ask["uid"])
        header, none = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
        if LIBC.capset(header, none):
            return 2
        return 0 if os.access(ask["path"], os.X_OK) else 1
    except BaseException:  # noqa: BLE001 -- whatever it is, this process may not go on
        return 2


LIBC = ctypes.CDLL(None, use_errno=True)


def _target_capabilities() -> int:
    lines = Path("/proc/1/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapBnd:"))


def processes(ask: Json, _own: int) -> Json:
    """Read the target's processes, as the kernel describes them; this container's and its like are left out."""
    space = Path("/proc/1/ns/mnt").readlink()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found += [_process(name)] if _is_targets(name, ask["container"], space) else []
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
    return {
        "processes": found,
        "memory": int(Path("/proc/meminfo").read_text().split()[1]) * 1024,
        "boot": int(Path("/proc/stat").read_text().partition("\nbtime ")[2].split()[0]),
        "uptime": float(Path("/proc/uptime").read_text().split()[0]),
        "ticks": os.sysconf("SC_CLK_TCK"),
        "page": os.sysconf("SC_PAGE_SIZE"),
    }


def _is_targets(pid: str, container: str, space: Path) -> bool:
    """By its mount namespace, or where it has made one of its own by its control group; a dead one by its parent."""
    folder = Path("/proc", pid)
    if container in (folder / "cgroup").read_text():
        return True
    try:
        return (folder / "ns/mnt").readlink() == space
    except FileNotFoundError:
        parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1]
        return parent != "0" and _is_targets(parent, container, space)


def _process(pid: str) -> Json:
    folder = Path("/proc", pid)
    return {
        name: (folder / name).read_bytes().decode(errors="surrogateescape") for name in ("stat", "status", "cmdline")
    }


def sockets(_ask: Json, _own: int) -> Json:
    """List the stream and datagram sockets of the target's network, with what ss(8) knows of them."""
    found: list[Json] = []
    for family in (socket.AF_INET, socket.AF_INET6):
        for protocol in (socket.IPPROTO_TCP, socket.IPPROTO_UDP):
            found += _internet_sockets(family, protocol)
    return {"sockets": found + list(_unix_sockets())}


def _internet_sockets(family: int, protocol: int) -> Iterator[Json]:
    """Ask the kernel over netlink: /proc/net does not tell whether a socket of IPv6 takes IPv4 too."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG) as kernel:
        states = sum(1 << state for state in STATES)
        body = struct.pack("=BBBBI", family, protocol, 0, 0, states) + bytes(48)
        kernel.send(struct.pack("=IHHII", HEADER + len(body), SOCK_DIAG_BY_FAMILY, DUMP_REQUEST, 1, 0) + body)
        while True:
            data = kernel.recv(2**18)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    raise OSError(-struct.unpack_from("=i", data, HEADER)[0], "the kernel does not list sockets")
                yield _internet_socket(data[HEADER:length], protocol)
                data = data[(length + 3) & ~3 :]


def _internet_socket(message: bytes, protocol: int) -> Json:
    family, state = message[:2]
    port, remote_port = struct.unpack_from(">HH", message, ADDRESSES_AT)
    size = 4 if family == socket.AF_INET else 16
    address, remote = (message[start : start + size] for start in (ADDRESSES_AT + 4, ADDRESSES_AT + 20))
    attributes, only_v6 = message[ATTRIBUTES_AT:], False
    while len(attributes) >= 4:  # noqa: PLR2004 -- an attribute's head: length and kind
        length, kind = struct.unpack_from("=HH", attributes)
        only_v6 = only_v6 or (kind == INET_DIAG_SKV6ONLY and attributes[4:5] == b"\1")
        attributes = attributes[(length + 3) & ~3 :]
    return {
        "protocol": "tcp" if protocol == socket.IPPROTO_TCP else "udp",
        "state": STATES[state],
        "address": socket.inet_ntop(family, address),
        "port": port,
        "remote_address": socket.inet_ntop(family, remote),
        "remote_port": remote_port,
        "only_v6": only_v6,
    }


def _unix_sockets() -> Iterator[Json]:
    for line in Path("/proc/self/net/unix").read_text(errors="surrogateescape").splitlines()[1:]:
        fields = line.split(None, UNIX_FIELDS)
        if int(fields[4], 16) != UNIX_STREAM or len(fields) <= UNIX_FIELDS:
            continue
        if int(fields[3], 16) & UNIX_LISTENING:
            yield {"protocol": "unix", "state": "listening", "path": fields[UNIX_FIELDS]}
        elif int(fields[5], 16) == UNIX_CONNECTED:
            yield {"protocol": "unix", "state": "established", "path": fields[UNIX_FIELDS]}


def _open(path: str, _flags: int) -> int:
    return os.open(path, WITHOUT_WAITING)


QUESTIONS: dict[str, Callable[[Json, int], Json]] = {
    "hello": hello,
    "enter": enter,
    "facts": facts,
    "read": read,
    "digest": digest,
    "grep": grep,
    "names": names,
    "real": real,
    "executable": executable,
    "processes": processes,
    "sockets": sockets,
}


def main(questions: TextIO, answers: TextIO) -> None:
    """Change into the target's root, and answer until there are no more questions."""
    own = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    os.chroot(TARGET)
    os.chdir("/")
    sys.meta_path.clear()
    sys.path.clear()
    for line in questions:
        number = None
        try:
            ask = json.loads(line)
            number = ask.get("number")
            answer = QUESTIONS[ask["op"]](ask, own)
        except OSError as error:
            answer = {"error": errno.errorcode.get(error.errno or 0, "EIO"), "detail": str(error)}
        except Exception as error:  # noqa: BLE001 -- whatever it is, the asker must hear of it, and may ask on
            answer = {"fault": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer | {"number": number}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
