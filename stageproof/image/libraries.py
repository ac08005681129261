"""Whether the loader would find a program's libraries, from the index alone: glibc's ld.so(8), musl's dynlink.c."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from stageproof.image.elf import Elf
from stageproof.image.identity import EXECUTE, READ, Identity
from stageproof.image.tree import Entry, Image

_TRIPLETS = {
    62: "x86_64-linux-gnu",
    183: "aarch64-linux-gnu",
    40: "arm-linux-gnueabihf",
    3: "i386-linux-gnu",
    243: "riscv64-linux-gnu",
}
_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})")
_LIB = re.compile(r"\$(?:LIB|\{LIB\})")
# musl's loader is the C library too, under all of these names (dynlink.c, load_library).
_MUSL_OWN = re.compile(r"lib(c|pthread|rt|m|dl|util|xnet)\.(so|musl).*")


@dataclass(frozen=True)
class _Loaded:
    """A program or library, and who asked for it."""

    path: str
    elf: Elf
    by: _Loaded | None


def problems(image: Image, program: Entry, who: Identity) -> list[str]:
    """Say what the loader would complain about; empty: every library is there, with the versions asked for."""
    if program.facts.elf is None or not program.facts.elf.interpreter:
        return []
    musl = "ld-musl" in program.facts.elf.interpreter
    loader = image.resolve(program.facts.elf.interpreter)
    loader_elf = loader.facts.elf if loader else None
    seen: dict[str, Elf] = {posixpath.basename(program.facts.elf.interpreter): loader_elf} if loader_elf else {}
    todo = [_Loaded(program.path, program.facts.elf, None)]
    found: list[str] = []
    while todo:
        thing = todo.pop(0)
        for name in thing.elf.needed:
            if name in seen or (musl and _MUSL_OWN.fullmatch(name)):
                continue
            library = _search(image, name, thing, who, musl=musl)
            if library is None:
                found.append(f"{thing.path} needs {name}, which is in no folder that the loader searches")
                continue
            seen[name] = library.elf
            todo.append(library)
        found += _missing_versions(thing, seen)
    return found


def _missing_versions(thing: _Loaded, seen: dict[str, Elf]) -> Iterator[str]:
    for name, version in thing.elf.needs_versions:
        library = seen.get(name)
        if library is not None and library.has_versions and version not in library.has_versions:
            yield f"{thing.path} needs {version} of {name}, and the one here does not have it"


def _search(image: Image, name: str, by: _Loaded, who: Identity, *, musl: bool) -> _Loaded | None:
    folders = [""] if "/" in name else _folders(image, by, musl=musl)
    for folder in folders:
        path = posixpath.join(folder, name)
        trail = image.trail(path, image.config.workdir)
        entry = trail.entry if all(who.may(each, EXECUTE) for each in trail.folders) else None
        header = entry.facts.elf if entry else None
        same = header is not None and (header.bits, header.machine) == (by.elf.bits, by.elf.machine)
        if entry and header and same and who.may(entry, READ):
            return _Loaded(path, header, by)
    return None


def _folders(image: Image, by: _Loaded, *, musl: bool) -> Iterator[str]:
    if not by.elf.runpath or musl:
        asking: _Loaded | None = by
        while asking is not None:
            if not asking.elf.runpath or musl:
                yield from _expand(asking, asking.elf.rpath)
            asking = asking.by
    yield from (folder for folder in image.config.env.get("LD_LIBRARY_PATH", "").split(":") if folder)
    yield from _expand(by, by.elf.runpath)
    yield from _musl_folders(image) if musl else _glibc_folders(image, by.elf)


def _expand(thing: _Loaded, folders: tuple[str, ...]) -> Iterator[str]:
    for folder in folders:
        placed = _ORIGIN.sub(lambda _: posixpath.dirname(thing.path), folder)
        yield _LIB.sub(lambda _: f"lib/{_TRIPLETS.get(thing.elf.machine, '')}", placed)


def _glibc_folders(image: Image, header: Elf) -> Iterator[str]:
    # The loader knows the folders of ld.so.conf only by the cache that ldconfig makes of them.
    if image.resolve("/etc/ld.so.cache"):
        yield from _configured(image, "/etc/ld.so.conf")
        for entry in image.walk("/etc/ld.so.conf.d"):
            yield from _configured(image, entry.path)
    triplet = _TRIPLETS.get(header.machine)
    if triplet:
        yield from (f"/lib/{triplet}", f"/usr/lib/{triplet}")
    yield from ("/lib64", "/usr/lib64") if header.bits == 64 else ()  # noqa: PLR2004 -- the word's own size
    yield from ("/lib", "/usr/lib")


def _musl_folders(image: Image) -> Iterator[str]:
    paths = [entry.path for entry in image.walk("/etc") if re.fullmatch(r"/etc/ld-musl-[^/]+\.path", entry.path)]
    for path in paths:
        yield from re.split(r"[:\n]", (image.read(path) or b"").decode("utf-8", "replace").strip())
    if not paths:
        yield from ("/lib", "/usr/local/lib", "/usr/lib")


def _configured(image: Image, path: str) -> Iterator[str]:
    for line in (image.read(path) or b"").decode("utf-8", "replace").splitlines():
        folder = line.partition("#")[0].strip()
        if folder.startswith("/"):
            yield folder
