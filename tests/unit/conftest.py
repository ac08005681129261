"""Images made in memory: layers of chosen members, ELF files of chosen facts, read through the real archive reader."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stageproof.image import Image, Needles, read_archive

NO_NEEDLES = Needles()
X86_64 = 62


@dataclass(frozen=True)
class Member:
    """One entry to be put into a layer."""

    path: str
    data: bytes = b""
    type: bytes = tarfile.REGTYPE
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    link: str = ""


def file(path: str, data: bytes = b"data", mode: int = 0o644, uid: int = 0, gid: int = 0) -> Member:
    return Member(path, data, mode=mode, uid=uid, gid=gid)


def folder(path: str, mode: int = 0o755, uid: int = 0, gid: int = 0) -> Member:
    return Member(path, type=tarfile.DIRTYPE, mode=mode, uid=uid, gid=gid)


def link(path: str, target: str) -> Member:
    return Member(path, type=tarfile.SYMTYPE, mode=0o777, link=target)


def hard_link(path: str, target: str) -> Member:
    return Member(path, type=tarfile.LNKTYPE, link=target)


def tar(members: Iterable[Member], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Write a tar, as an engine would."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for member in members:
            info = tarfile.TarInfo(member.path.lstrip("/"))
            info.type, info.mode, info.uid, info.gid = member.type, member.mode, member.uid, member.gid
            info.linkname, info.size = member.link, len(member.data)
            archive.addfile(info, io.BytesIO(member.data))
    return out.getvalue()


@dataclass(frozen=True)
class ElfText:
    """Where the texts of an ELF file under construction stand."""

    data: bytearray

    def add(self, text: str) -> int:
        at = len(self.data)
        self.data.extend(text.encode() + b"\0")
        return at


def elf(
    interpreter: str = "",
    needed: Sequence[str] = (),
    *,
    soname: str = "",
    rpath: str = "",
    runpath: str = "",
    needs: Mapping[str, Sequence[str]] | None = None,
    has: Sequence[str] = (),
    machine: int = X86_64,
    text: bytes = b"",
) -> bytes:
    """Write a small 64-bit ELF file that says all this about itself; it does not run."""
    strings = ElfText(bytearray(b"\0"))
    tags = [(1, strings.add(name)) for name in needed]
    tags += [(tag, strings.add(value)) for tag, value in ((14, soname), (15, rpath), (29, runpath)) if value]
    wants = _version_needs(strings, needs or {})
    gives = _version_definitions(strings, has)
    header, entry = 64, 56
    start = header + 3 * entry
    loader = interpreter.encode() + b"\0"
    at_strings = start + len(loader)
    at_wants = at_strings + len(strings.data)
    at_gives = at_wants + len(wants)
    tags += [(5, at_strings)]
    tags += [(0x6FFFFFFE, at_wants), (0x6FFFFFFF, len(needs or {}))] if needs else []
    tags += [(0x6FFFFFFC, at_gives), (0x6FFFFFFD, len(has))] if has else []
    dynamic = b"".join(struct.pack("<QQ", *tag) for tag in [*tags, (0, 0)])
    at_dynamic = at_gives + len(gives)
    size = at_dynamic + len(dynamic) + len(text)
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, size, size, 4096)
    section = struct.pack("<IIQQQQQQ", 2, 4, at_dynamic, at_dynamic, 0, len(dynamic), len(dynamic), 8)
    asks = struct.pack("<IIQQQQQQ", 3 if interpreter else 0, 4, start, start, 0, len(loader), len(loader), 1)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    head = ident + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, header, 0, 0, header, entry, 3, 0, 0, 0)
    return head + load + section + asks + loader + bytes(strings.data) + wants + gives + dynamic + text


def _version_needs(strings: ElfText, needs: Mapping[str, Sequence[str]]) -> bytes:
    out = b""
    for number, (library, versions) in enumerate(needs.items(), start=1):
        inner = b"".join(
            struct.pack("<IHHII", 0, 0, 2, strings.add(version), 16 if place < len(versions) else 0)
            for place, version in enumerate(versions, start=1)
        )
        step = 16 + len(inner) if number < len(needs) else 0
        out += struct.pack("<HHIII", 1, len(versions), strings.add(library), 16, step) + inner
    return out


def _version_definitions(strings: ElfText, has: Sequence[str]) -> bytes:
    out = b""
    for number, version in enumerate(has, start=1):
        step = 28 if number < len(has) else 0
        out += struct.pack("<HHHHIII", 1, 0, number + 1, 1, 0, 20, step) + struct.pack("<II", strings.add(version), 0)
    return out


class Images:
    """Makes images and reads them."""

    file = staticmethod(file)
    folder = staticmethod(folder)
    link = staticmethod(link)
    hard_link = staticmethod(hard_link)
    elf = staticmethod(elf)
    tar = staticmethod(tar)

    def __init__(self, cache: Path) -> None:
        self.cache = cache

    def archive(self, layers: Sequence[bytes], config: Mapping[str, Any] | None = None, name: str = "it:1") -> bytes:
        """Write a docker archive of one image, as Docker 28 does: blobs first, the list of contents last."""
        digests = [hashlib.sha256(layer).hexdigest() for layer in layers]
        document: dict[str, Any] = {
            "architecture": "amd64",
            "os": "linux",
            "config": dict(config or {}),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
            "history": [{"created_by": f"COPY step {number}"} for number, _ in enumerate(layers, start=1)],
        }
        document["history"] = (config or {}).get("history", document["history"])
        document |= (config or {}).get("top", {})  # what stands beside "config": created, architecture
        blob = json.dumps(document).encode()
        where = f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}"
        paths = [f"blobs/sha256/{digest}" for digest in digests]
        contents = [{"Config": where, "RepoTags": [name], "Layers": paths}]
        blobs = [file(path, layer) for path, layer in dict(zip(paths, layers, strict=True)).items()]
        return tar([*blobs, file(where, blob), file("manifest.json", json.dumps(contents).encode())])

    def read(self, archive: bytes, needles: Needles = NO_NEEDLES, piece: int = 1000) -> Image:
        """Read an archive that arrives in small pieces."""
        images = read_archive(pieces(archive, piece), cache=self.cache, needles=needles)
        return next(iter(images.values()))

    def image(self, *layers: Sequence[Member], needles: Needles = NO_NEEDLES, **config: Any) -> Image:
        """Make an image of these layers and this configuration, and read it."""
        return self.read(self.archive([tar(layer) for layer in layers], config), needles)

    def app(self, *members: Member, needles: Needles = NO_NEEDLES, **config: Any) -> Image:
        """Make an image whose entry point is the static program /app/run, with more members in a second layer."""
        base = [folder("/app"), file("/app/run", elf(), 0o755)]
        given = {"Entrypoint": ["/app/run"], "User": "65532:65532", **config}
        return self.image(base, members, needles=needles, **given)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes into pieces, as a socket does."""
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.fixture
def images(tmp_path: Path) -> Images:
    """Give a maker of images with a cache of its own."""
    return Images(tmp_path / "cache")
