"""Where images come from: an engine's names and ids, docker archives, OCI layouts, standard input.

Only names of an engine need one. A docker archive is what `docker save` writes, plain or packed; an OCI layout is a
folder or a tar of one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from stageproof.errors import ImageError
from stageproof.image import archive, packing, passing
from stageproof.image.limits import LIMITS, Limits
from stageproof.image.load import NO_NEEDLES, of_archive, of_engine
from stageproof.image.needles import Needles
from stageproof.image.shelf import PIECE, Shelf
from stageproof.image.store import Store
from stageproof.image.tar import BLOCK
from stageproof.image.traffic import Traffic
from stageproof.image.tree import Image

STANDARD_INPUT = "-"
_LAYOUT = "oci:"
_PATH_LIKE = re.compile(r"(\.{0,2}/.*|.*\.(tar|tgz|tzst|tar\.gz|tar\.zst)|oci:.*)", re.DOTALL)


class Engine(Protocol):
    """What reading from an engine needs of it."""

    def describe(self, name: str) -> Mapping[str, Any]:
        """Give the engine's inspect of an image. Raises ImageError if it has none of that name."""

    def save(self, names: list[str]) -> Iterable[bytes]:
        """Give one save of all these images, in pieces."""


def needs_engine(source: str) -> bool:
    """Whether a source is a name that only an engine can look up: neither `-`, nor a path, nor written like one."""
    if source == STANDARD_INPUT or _PATH_LIKE.fullmatch(source):
        return False
    return not _exists(source)


def read(  # noqa: PLR0913 -- what a reading needs, each with its default
    sources: Sequence[str],
    *,
    cache: Path,
    engine: Callable[[], Engine] | None = None,
    platform: str = "",
    needles: Needles = NO_NEEDLES,
    stdin: BinaryIO | None = None,
    limits: Limits = LIMITS,
    traffic: Traffic | None = None,
    weigh: bool = True,
) -> dict[str, list[Image]]:
    """Give the images of every source: an archive may hold several, and each image's `source` says which it is.

    `engine` is asked for only if a source needs it, and saves all its images in one request. `platform` picks of a
    multi-platform image; without it the one for this machine is taken, or the only one. `cache` is the folder of
    remembered layers; `traffic` counts what was read. To find the size to pull of layers that come unpacked takes
    longer than all the rest: without `weigh` it is left out, and `Image.pull` raises. Raises ImageError where an image
    cannot be read, UsageError on a platform that is none, and whatever the engine raises.
    """
    shelf = Shelf(Store(cache), needles, limits=limits, traffic=traffic, weigh=weigh)
    names = [source for source in dict.fromkeys(sources) if needs_engine(source)]
    found = _of_engine(names, engine, shelf, platform) if names else {}
    for source in dict.fromkeys(sources):
        if source in found:
            continue
        if source == STANDARD_INPUT:
            passed = passing.passing(_chunks(stdin or sys.stdin.buffer), "standard input", shelf)
            found[source] = of_archive(passed, "standard input", shelf, platform)
        else:
            found[source] = _of_path(source, shelf, platform)
    shelf.store.shrink()
    return {source: found[source] for source in dict.fromkeys(sources)}


def _of_engine(
    names: list[str], engine: Callable[[], Engine] | None, shelf: Shelf, platform: str
) -> dict[str, list[Image]]:
    if engine is None:
        failed = f"{names[0]} cannot be read"
        seen = "there is no file or folder of that name, and no engine was asked"
        raise ImageError(failed, seen=seen, why="a name that is no path is looked up in an engine", do="give a path")
    open_engine = engine()
    images = of_engine(names, shelf, describe=open_engine.describe, save=open_engine.save, platform=platform)
    return {name: [image] for name, image in images.items()}


def _of_path(source: str, shelf: Shelf, platform: str) -> list[Image]:
    path, tag = _layout(source) if source.startswith(_LAYOUT) else (Path(source), "")
    if path.is_dir():
        images = of_archive(archive.Folder(path, shelf), str(path), shelf, platform)
    else:
        images = _of_file(path, shelf, platform)
    if not tag:
        return images
    named = [image for image in images if image.source == tag]
    if not named:
        failed = f"{path} holds no image {tag}"
        seen = "it holds " + ", ".join(image.source for image in images)
        raise ImageError(failed, seen=seen, why="there is nothing to check")
    return named


def _of_file(path: Path, shelf: Shelf, platform: str) -> list[Image]:
    with archive.open_file(path) as file:
        head = file.read(BLOCK)
        file.seek(0)
        if packing.is_packed(head):
            return of_archive(passing.passing(_chunks(file), str(path), shelf), str(path), shelf, platform)
        opened = archive.File(file, str(path), shelf)
        opened.scan()
        return of_archive(opened, str(path), shelf, platform)


def _layout(source: str) -> tuple[Path, str]:
    """Read `oci:PATH` or `oci:PATH:TAG`, as skopeo writes them."""
    rest = path = source.removeprefix(_LAYOUT)
    while not _exists(path) and ":" in path:  # a path and a tag may both hold colons
        path = path.rpartition(":")[0]
    return (Path(path), rest[len(path) + 1 :]) if _exists(path) else (Path(rest), "")


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(PIECE), b"")
