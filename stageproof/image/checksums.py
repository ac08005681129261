"""What packages say about their own files: of Debian, of Alpine, of Python, each in a file of its own.

A distribution's package manager records a sum of every file; so does whoever installs a Python distribution.
"""

from __future__ import annotations

from collections.abc import Iterator

from stageproof.image import apk_sums, debian_sums, python_sums
from stageproof.image.recorded import Recorded
from stageproof.image.tree import Entry, Image


def recorded(image: Image) -> Iterator[Recorded]:
    """Give every file of which a package recorded a sum."""
    for of_kind in (debian_sums, apk_sums, python_sums):
        yield from of_kind.recorded(image)


def unread_lists(image: Image) -> list[str]:
    """Name the lists of sums whose content is not in the index."""
    lists = [entry for of_kind in (debian_sums, apk_sums, python_sums) for entry in of_kind.lists(image)]
    return [entry.path for entry in lists if entry.size and entry.facts.content is None]


def is_as_recorded(entry: Entry, each: Recorded) -> bool | None:
    """Whether a file is as its package brought it; None: its sum of that kind is not known."""
    own = {"md5": entry.md5, "sha1": entry.sha1, "sha256": entry.sha256}.get(each.kind, "")
    return own.startswith(each.digest) if own and each.digest else None
