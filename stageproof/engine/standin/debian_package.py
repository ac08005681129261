"""Debian packages as distroless uses them: unpacked as they are, no script run, no dependency followed."""

from __future__ import annotations

import io
import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from stageproof.engine.standin.layer import Entry
from stageproof.errors import BaseError

_AR_MAGIC = b"!<arch>\n"
_AR_HEADER = 60
_MERGED = re.compile(r"^(bin|sbin|lib|lib32|lib64|libx32)(/|$)")


@dataclass(frozen=True)
class DebianPackage:
    """What a .deb holds: its name and version, its control file, its sums, and its files."""

    name: str
    version: str
    control: bytes
    md5sums: bytes
    entries: tuple[Entry, ...]

    def status_entries(self) -> Iterator[Entry]:
        """Give what scanners look for, as distroless writes it: one control file and one list of sums a package."""
        for folder in ("var", "var/lib", "var/lib/dpkg", "var/lib/dpkg/status.d"):
            yield Entry.directory(folder)
        yield Entry.file(f"var/lib/dpkg/status.d/{self.name}", self.control)
        yield Entry.file(f"var/lib/dpkg/status.d/{self.name}.md5sums", self.md5sums)

    def file(self, path: str) -> Entry:
        """Give one entry by its path, which has no leading slash."""
        for entry in self.entries:
            if entry.path == path:
                return entry
        failed = f"the Debian package {self.name} {self.version} holds no /{path}"
        raise BaseError(failed, why="A part of a distroless stand-in is taken out of it.")


def read_debian_package(path: Path) -> DebianPackage:
    """Read a whole .deb; raises BaseError when it is none."""
    members = dict(_ar_members(path))
    control = _tar_entries(path, members, "control.tar")
    files = {entry.path: entry.content for entry in control}
    data = tuple(_tar_entries(path, members, "data.tar"))
    fields = dict(re.findall(r"^(\S+): (.*)$", files["control"].decode(), re.MULTILINE))
    return DebianPackage(fields["Package"], fields["Version"], files["control"], files.get("md5sums", b""), data)


def merged_usr(entries: Iterator[Entry] | tuple[Entry, ...]) -> Iterator[Entry]:
    """Move what lies below /bin, /sbin and /lib* to /usr; those folders themselves would replace the links, and go."""
    for entry in entries:
        if entry.path in {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}:
            continue
        moved = replace(entry, path=_MERGED.sub(r"usr/\1\2", entry.path))
        if entry.kind == tarfile.LNKTYPE:
            moved = replace(moved, target=_MERGED.sub(r"usr/\1\2", entry.target))
        yield moved


def _ar_members(path: Path) -> Iterator[tuple[str, bytes]]:
    with path.open("rb") as file:
        if file.read(len(_AR_MAGIC)) != _AR_MAGIC:
            failed = f"{path.name} is no Debian package"
            raise BaseError(failed, seen="The file does not start as an ar archive does.")
        while header := file.read(_AR_HEADER):
            name = header[:16].decode("ascii").rstrip().rstrip("/")
            size = int(header[48:58])
            yield name, file.read(size)
            file.seek(size % 2, io.SEEK_CUR)


def _tar_entries(path: Path, members: dict[str, bytes], stem: str) -> list[Entry]:
    unpack = {f"{stem}.xz": lzma.decompress, f"{stem}.gz": lambda data: zlib.decompress(data, 31), stem: bytes}
    for name, content in members.items():
        if name in unpack:
            with tarfile.open(fileobj=io.BytesIO(unpack[name](content)), mode="r:") as tar:
                return [Entry.of(member, tar) for member in tar]
    failed = f"{path.name} has no {stem} that can be read"
    raise BaseError(failed, seen=f"its members: {', '.join(members)}", do="Only xz and gzip are known here.")
