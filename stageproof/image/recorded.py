"""A file as its package brought it, and where that stands in an image."""

from __future__ import annotations

from typing import NamedTuple

from stageproof.image.tree import Image


class Recorded(NamedTuple):
    """A file as its package brought it."""

    package: str
    path: str
    """Where it stands in the image: links in folders followed."""
    kind: str
    """md5, sha1 or sha256; another one that is recorded, by its own name."""
    digest: str
    """In hexadecimal digits, or the first of them; empty: it cannot be read."""


class Folders:
    """Follows links in the folders of paths, each folder once."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._known: dict[str, str] = {}

    def followed(self, path: str) -> str:
        """Give a path with its folder as it stands in the image."""
        folder, _, name = path.rpartition("/")
        if folder not in self._known:
            found = self._image.resolve(folder or "/")
            self._known[folder] = found.path.rstrip("/") if found else folder
        return f"{self._known[folder]}/{name}"


def text(content: bytes | None) -> str:
    """Read a list as text; names may be of any bytes."""
    return (content or b"").decode("utf-8", "surrogateescape")
