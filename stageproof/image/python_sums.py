"""What RECORD files say about the files of Python distributions.

Source: PyPA's specification of recording installed projects. Paths are relative to the folder of the `.dist-info`
folder; a sum is `sha256=` and urlsafe base64 without padding. RECORD itself has none, nor has bytecode that an
installer made. Other algorithms than SHA-256 are allowed, and nobody writes them.
"""

from __future__ import annotations

import base64
import binascii
import csv
import posixpath
from collections.abc import Iterator

from stageproof.image.recorded import Folders, Recorded, text
from stageproof.image.tree import Entry, Image

_ENDING = ".dist-info/RECORD"
_FIELDS = 3


def lists(image: Image) -> list[Entry]:
    """Give the RECORD files."""
    return [entry for entry in image.tree.values() if entry.path.endswith(_ENDING) and entry.is_file]


def recorded(image: Image) -> Iterator[Recorded]:
    """Give every file of which a Python distribution recorded a sum."""
    folders = Folders(image)
    for entry in lists(image):
        information = posixpath.dirname(entry.path)
        site, package = posixpath.split(information)
        package = package.removesuffix(".dist-info").rpartition("-")[0] or package
        try:
            rows = list(csv.reader(text(entry.facts.content).splitlines()))
        except csv.Error:
            yield Recorded(package, entry.path, "", "")
            continue
        for row in rows:
            if len(row) == _FIELDS and row[0] and row[1]:
                path = posixpath.normpath(posixpath.join(site, row[0]))
                yield Recorded(package, folders.followed(path), *_digest(row[1]))


def _digest(told: str) -> tuple[str, str]:
    kind, _, value = told.partition("=")
    try:
        digest = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True).hex()
    except (binascii.Error, ValueError):
        return kind, ""
    return kind, digest if kind != "sha256" or len(digest) == len("00") * 32 else ""
