"""The same files for every target: what stands in them is what the tests expect."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

MTIME = 1_700_000_000
TEXT = "first line\ncafé\n".encode()
USERS = (
    "root:x:0:0:root:/root:/sbin/nologin\n"
    "nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"
    "alice:x:1234:4321:Alice A,,,:/home/alice:/bin/fish\n"
)
GROUP = "root:x:0:\nextra:x:77:bob,alice\nnonroot:x:65532:\npeople:x:4321:\n"
SHADOW = "root:*:19000:0:99999:7:::\nalice:$6$salt$hash:19000:1:90:7::20000:\n"


def archive(netstat: bytes = b"") -> bytes:
    """Pack it all, and a netstat where there is one."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:

        def add(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, **about: object) -> None:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.mtime, member.mode = kind, len(data), MTIME, 0o644
            for key, value in about.items():
                setattr(member, key, value)
            tar.addfile(member, io.BytesIO(data))

        add("data", kind=tarfile.DIRTYPE, mode=0o755)
        add("data/text", TEXT)
        add("data/of-alice", TEXT, uid=1234, gid=4321, mode=0o640)
        add("data/of-nobody", TEXT, uid=4242, gid=4343)
        add("data/setuid", b"#!/x\n", mode=0o4755)
        add("data/for-the-owner", b"#!/x\n", mode=0o700)
        add("data/link", kind=tarfile.SYMTYPE, linkname="text")
        add("data/absolute", kind=tarfile.SYMTYPE, linkname="/data/text")
        add("data/dangling", kind=tarfile.SYMTYPE, linkname="nowhere")
        add("data/loop", kind=tarfile.SYMTYPE, linkname="loop")
        add("data/pipe", kind=tarfile.FIFOTYPE)
        add("data/folder", kind=tarfile.DIRTYPE, mode=0o755)
        for name in ("b", "a", ".hidden", "two words"):
            add(f"data/folder/{name}")
        add("data/closed", kind=tarfile.DIRTYPE, mode=0o700)
        add("data/closed/inside", TEXT)
        add("etc/passwd", USERS.encode())
        add("etc/group", GROUP.encode())
        add("etc/shadow", SHADOW.encode(), mode=0o600)
        if netstat:
            add("usr/local/bin/netstat", netstat, mode=0o755)
    return packed.getvalue()


def packed(files: Mapping[str, bytes], mode: int = 0o644) -> bytes:
    """Pack files, by their paths without the first slash."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), mode
            tar.addfile(member, io.BytesIO(data))
    return made.getvalue()
