"""What is in an image: entries, layers, and the merged tree that a container sees."""

from __future__ import annotations

import enum
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from stageproof.errors import ImageError
from stageproof.image.attestations import Attached
from stageproof.image.config import Config
from stageproof.image.elf import Elf
from stageproof.image.needles import Needles

MAX_LINKS = 40
"""The kernel gives up after this many links on one path (`MAXSYMLINKS`, include/linux/namei.h)."""


class Kind(enum.StrEnum):
    """The type of an entry."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    HARD_LINK = "hard link"
    """Only in a layer, or where the target is missing: the merged tree shows the file itself."""
    CHARACTER_DEVICE = "character device"
    BLOCK_DEVICE = "block device"
    PIPE = "pipe"


class Facts(Struct, frozen=True, array_like=True, gc=False):
    """What the content of a file says, found once when its layer was read."""

    elf: Elf | None = None
    interpreter: str = ""
    """What follows `#!` on the first line."""
    program: str = ""
    """The well-known program that the content shows, under any name: "busybox", "dash", "curl", ..."""
    secrets: tuple[str, ...] = ()
    """Kinds of secret that the content looks like: "private key", ..."""
    members: tuple[str, ...] = ()
    """Of a zip or jar: names of members that a check may ask about (sources, package metadata)."""
    content: bytes | None = None
    """The bytes themselves, of small data files that readers need (passwd, dpkg's status, ...)."""
    packages: tuple[tuple[str, str, str], ...] = ()
    """Packages that the file itself brings, (ecosystem, name, version): of a jar, of a Go program."""


NO_FACTS = Facts()


# Structs of msgspec and not dataclasses: an image has 10^5 of them, and these are made and read ten times as fast.
class Entry(Struct, frozen=True, array_like=True, gc=False):
    """One path of one layer. Paths are absolute and normal; bytes that are no UTF-8 are kept as surrogates."""

    path: str
    kind: Kind
    mode: int
    uid: int
    gid: int
    size: int = 0
    mtime: int = 0
    link: str = ""
    """The target: of a link as written, of a hard link as an absolute path."""
    sha256: str = ""
    attributes: tuple[tuple[str, bytes], ...] = ()
    """Extended attributes, name and value: ("security.capability", b"...")."""
    facts: Facts = NO_FACTS
    md5: str = ""
    """Of files where a distribution's packages put theirs: what dpkg's lists of files say."""
    sha1: str = ""
    """Of the same files: what apk's database says."""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path[self.path.rfind("/") + 1 :]

    @property
    def xattrs(self) -> tuple[str, ...]:
        """The names of the extended attributes."""
        return tuple(name for name, _ in self.attributes)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return self.kind is Kind.FILE

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.kind is Kind.FOLDER


@dataclass(frozen=True)
class Layer:
    """One layer of an image: its entries, its white-outs, its sizes."""

    diff_id: str
    entries: Mapping[str, Entry]
    removed: tuple[str, ...]
    """Paths that a white-out takes away from the layers below."""
    emptied: tuple[str, ...]
    """Folders whose content below is hidden (opaque white-out)."""
    disk: int
    """Bytes of all files, hard links counted once, and of links' targets: what the classic store adds up as Size."""
    pull: int
    """Bytes of the layer as a registry sends it: packed as it came, or gzipped. 0: it was not weighed."""
    remarks: tuple[str, ...]
    """What is odd about the archive: doubled paths, devices, names that leave the root."""
    found: Mapping[str, tuple[str, ...]]
    """Path -> labels of the needles found in that file, deleted ones too."""
    number: int = 0
    """Counted from 1; 0 until the layer stands in an image."""
    created_by: str = ""


@dataclass(frozen=True)
class Trail:
    """The way to a path as the kernel walks it: the folders gone through, and what is at the end."""

    entry: Entry | None
    folders: tuple[Entry, ...]
    problem: str = ""
    """Why there is no entry: "/bin/x is not there", "more than 40 links", ..."""


@dataclass(frozen=True)
class Image:
    """An image as its bytes say: config, layers, and the merged tree."""

    id: str
    source: str
    """The name by which it was asked for."""
    config: Config
    layers: Sequence[Layer]
    tree: Mapping[str, Entry]
    """The merged tree: path -> entry, without `/`."""
    brought_by: Mapping[str, int] = field(repr=False)
    """Path -> the number of the layer that brought it."""
    needles: Needles = field(repr=False)
    """What was looked for in every file of every layer."""
    attached: Attached | None = field(default=None, repr=False)
    """What stands beside it in its layout; None where its source has no place for that."""

    @property
    def platform(self) -> str:
        """Such as `linux/amd64`."""
        return self.config.platform

    @property
    def disk(self) -> int:
        """Bytes of the files of all layers, deleted ones too: as the engine's own Size."""
        return sum(layer.disk for layer in self.layers)

    @property
    def pull(self) -> int:
        """Bytes of all layers, each packed. Raises ImageError where that was left out when the layers were read."""
        if not all(layer.pull for layer in self.layers):
            failed = f"the size to pull of {self.source} is not known"
            raise ImageError(failed, seen="its layers were read without being weighed", why="0 would be a wrong answer")
        return sum(layer.pull for layer in self.layers)

    def find(self, path: str) -> Entry | None:
        """Give the entry that stands at exactly this path, following no link."""
        return self.tree.get("/" + posixpath.normpath(path).strip("/"))

    def resolve(self, path: str, folder: str = "/") -> Entry | None:
        """Give what a process in `folder` would open under this path, links followed inside the image."""
        return self.trail(path, folder).entry

    def trail(self, path: str, folder: str = "/", *, follow: bool = True) -> Trail:
        """Walk a path as the kernel does; with `follow` off, a link at the very end is given itself."""
        return _walk(self.tree, posixpath.join("/", folder, path), follow=follow)

    def walk(self, below: str = "/") -> Iterator[Entry]:
        """Give every entry of the merged tree at or below a path, in the order of the paths."""
        prefix = below.rstrip("/") + "/"
        for path in sorted(path for path in self.tree if path.startswith(prefix) or path == below):
            yield self.tree[path]

    def read(self, path: str) -> bytes | None:
        """Give the content of a small data file that the index remembers; None if it is not there or not kept."""
        entry = self.resolve(path)
        return entry.facts.content if entry else None

    def layer_of(self, entry: Entry) -> Layer:
        """Give the layer that brought an entry of the merged tree."""
        return self.layers[self.brought_by[entry.path] - 1]

    def found_in(self, entry: Entry) -> tuple[str, ...]:
        """Give the labels of the needles that the content of an entry of the merged tree holds, under any of its names.

        A layer is searched where its bytes are: a hard link is followed to them.
        """
        path, number = entry.path, self.brought_by[entry.path]
        for _ in range(MAX_LINKS):
            of_layer = self.layers[number - 1].entries.get(path)
            if of_layer is None or of_layer.kind is not Kind.HARD_LINK:
                break
            path = of_layer.link
            number = next((below for below in range(number, 0, -1) if path in self.layers[below - 1].entries), number)
        return self.layers[number - 1].found.get(path, ())

    def created_by(self, entry: Entry) -> str:
        """Give the instruction that brought an entry, as the history tells it."""
        return self.layer_of(entry).created_by


ROOT = Entry("/", Kind.FOLDER, 0o755, 0, 0)


def _walk(tree: Mapping[str, Entry], path: str, *, follow: bool) -> Trail:
    todo = [part for part in reversed(path.split("/")) if part not in {"", "."}]
    here, folders, links = ROOT, [ROOT], 0
    while todo:
        part = todo.pop()
        if part == "..":
            here = tree.get(posixpath.dirname(here.path), ROOT)
            folders.append(here)
            continue
        if not here.is_folder:
            return Trail(None, tuple(folders), f"{here.path} is a {here.kind}, not a folder")
        child = tree.get(posixpath.join(here.path, part))
        if child is None:
            return Trail(None, tuple(folders), f"{posixpath.join(here.path, part)} is not there")
        if child.kind is Kind.LINK and (todo or follow):
            links += 1
            if links > MAX_LINKS:
                return Trail(None, tuple(folders), f"{path} goes through more than {MAX_LINKS} links")
            if not child.link:
                return Trail(None, tuple(folders), f"{child.path} is a link to nowhere")
            todo += [step for step in reversed(child.link.split("/")) if step not in {"", "."}]
            here = ROOT if child.link.startswith("/") else here
            continue
        here = child
        if here.is_folder:
            folders.append(here)
    return Trail(here, tuple(folders))
