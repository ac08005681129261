"""Small odd images, built on the spot from `peers/cases.toml`: each has one thing that tools answer differently."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import platform
import random
import struct
import tarfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import docker.errors

CASES = Path(__file__).resolve().parent / "peers" / "cases.toml"
NOBODY = "stageproof/peer-that-nobody-built:1"
"""A name that no engine has."""
TOOLS = "tools.tar"
"""The archive with busybox under all its names: what tools that ask through a shell need in an image."""
HOST = "{host}"
"""Stands in a path of an image for a folder that the host really has."""
HOST_FILE, HOST_TEXT = "real", "of the host"

_APPLETS = ("sh", "busybox", "id", "cat", "test", "stat", "sleep", "uname", "grep", "readlink", "env", "command", "ls")
_MACHINES = {"x86_64": 62, "aarch64": 183}
# exit(0) in machine code: the system call's number, the code, the call.
_EXIT = {
    "x86_64": bytes.fromhex("b83c000000 31ff 0f05"),
    "aarch64": struct.pack("<3I", 0xD2800BA8, 0xD2800000, 0xD4000001),
}
_LOADER = b"/lib/ld-nobody-has.so.1\0"
_KIND = "PRIVATE" + " KEY"
_BASE, _HEADER, _SEGMENT = 0x400000, 64, 56

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One image, the question about it, and how each tool is asked."""

    id: str
    question: str
    right: str
    """`yes`, `no`, a number of MB, or `could not look`."""
    dockerfile: str
    archives: Mapping[str, Sequence[Row]]
    """The tar files that the Dockerfile adds, by name."""
    asks: Mapping[str, Row]
    """How each tool is asked, by the tool's name."""
    state: str = "built"
    """`built`, or what stands in the way of an answer: `dead engine`, `missing image`."""
    command: Sequence[str] = field(default=("/bin/sleep", "600"))
    """What a container of it runs, for a tool that needs a running one."""


def read(path: Path = CASES) -> list[Case]:
    """Read the cases."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return [_case(row) for row in document["case"]]


def _case(row: dict[str, Any]) -> Case:
    fields = ("id", "question", "right", "dockerfile", "state", "command")
    given = {name: row.pop(name) for name in fields if name in row}
    return Case(**given, archives=row.pop("archives", {}), asks=row)


@contextmanager
def built(client: docker.DockerClient, case: Case, busybox: bytes, host: Path) -> Iterator[str]:
    """Build the image of a case and give its name; it is removed at the end.

    `host` is a folder of this machine, with a file that no image may show. Raises docker.errors.BuildError.
    """
    if case.state == "missing image":
        yield NOBODY
        return
    (host / HOST_FILE).write_text(HOST_TEXT, encoding="utf-8")
    name = f"stageproof/peer-{case.id}:{os.getpid()}"
    context = _context(case, busybox, str(host).strip("/"))
    try:
        client.images.build(fileobj=context, custom_context=True, tag=name, rm=True, forcerm=True)
        yield name
    finally:
        with contextlib.suppress(docker.errors.ImageNotFound):
            client.images.remove(name, force=True)


@contextmanager
def contained(client: docker.DockerClient, case: Case, image: str) -> Iterator[str]:
    """Run a container of the image and give its name; of an image that is missing, a name that no container has."""
    if case.state == "missing image":
        yield "stageproof-peer-that-nobody-made"
        return
    name = f"stageproof-peer-{case.id}-{os.getpid()}"
    container = client.containers.create(image, entrypoint=list(case.command), name=name, network_mode="none")
    try:
        container.start()
        yield name
    finally:
        container.remove(force=True)


def busybox_of(client: docker.DockerClient, image: str, path: str = "/tools/busybox") -> bytes:
    """Take a static busybox out of an image, from a container that is never started."""
    container = client.containers.create(image, entrypoint=["nothing"])
    try:
        pieces, _ = container.get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
            (member,) = archive.getmembers()
            file = archive.extractfile(member)
            assert file is not None
            return file.read()
    finally:
        container.remove(force=True)


def _context(case: Case, busybox: bytes, host: str) -> io.BytesIO:
    files = {"Dockerfile": case.dockerfile.encode(), TOOLS: _archive(_tools(), busybox, host)}
    files |= {name: _archive(rows, busybox, host) for name, rows in case.archives.items()}
    return _tar([(tarfile.TarInfo(name), data) for name, data in files.items()])


def _tools() -> Iterator[Row]:
    first, *others = (f"bin/{name}" for name in _APPLETS)
    yield {"path": first, "program": "busybox", "mode": 0o755}
    # The engine sets the mode that a hard link has in the archive, on the file of all its names.
    yield from ({"path": name, "hard": first, "mode": 0o755} for name in others)


def _archive(rows: Sequence[Row] | Iterator[Row], busybox: bytes, host: str) -> bytes:
    return _tar([_member(row, busybox, host) for row in rows]).getvalue()


def _member(row: Row, busybox: bytes, host: str) -> tuple[tarfile.TarInfo, bytes]:
    """Make one member of a row: a file with content, size or program, a link, a hard link."""
    info = tarfile.TarInfo(row["path"].replace(HOST, host))
    info.mode = row.get("mode", 0o644)
    info.uid, info.gid = row.get("uid", 0), row.get("gid", 0)
    if "link" in row:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, row["link"].replace(HOST, host), 0o777
    elif "hard" in row:
        info.type, info.linkname = tarfile.LNKTYPE, row["hard"]
    elif "program" in row:
        return info, busybox if row["program"] == "busybox" else program(row["program"])
    elif "size" in row:
        return info, random.Random(row["path"]).randbytes(row["size"])  # noqa: S311 -- the same bytes in every run
    elif row.get("key"):
        return info, _key()
    return info, row.get("content", "").encode()


def _key() -> bytes:
    """Make what looks like a private key, and is none; written in pieces, so that nobody takes this file for one."""
    lines = [base64.b64encode(random.Random(number).randbytes(48)).decode() for number in range(4)]  # noqa: S311 -- no key
    return "\n".join((f"-----BEGIN {_KIND}-----", *lines, f"-----END {_KIND}-----", "")).encode()


def _tar(members: Sequence[tuple[tarfile.TarInfo, bytes]]) -> io.BytesIO:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    data.seek(0)
    return data


def program(kind: str) -> bytes:
    """Give an ELF program that ends with 0: `static`, `foreign` (of another CPU), `loader` (asks for one nobody has).

    Source: System V ABI, chapters 4 and 5 (header, program header).
    """
    here = platform.machine()
    there = next(name for name in _MACHINES if name != here)
    machine = there if kind == "foreign" else here
    segments = 2 if kind == "loader" else 1
    start = _HEADER + segments * _SEGMENT
    loader = _LOADER if kind == "loader" else b""
    size = start + len(loader) + len(_EXIT[machine])
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQI", 2, _MACHINES[machine], 1, _BASE + start + len(loader), _HEADER, 0, 0)
    head += struct.pack("<HHHHHH", _HEADER, _SEGMENT, segments, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    asked = struct.pack("<IIQQQQQQ", 3, 4, start, _BASE + start, _BASE + start, len(loader), len(loader), 1)
    return head + (asked if loader else b"") + load + loader + _EXIT[machine]
