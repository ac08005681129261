"""What apk's database of installed packages says about their files.

In the paragraph of a package (apk-package(5)) stand F: a folder, R: a file in it, and Z: its sum, `Q1` and twenty bytes
in base64. They are its SHA-1; of a package of apk's version 3, which the letter S in `f:` tells, the first twenty bytes
of its SHA-256 (apk-tools, database.c, apk_db_fdb_read). `Q2` is a whole SHA-256.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from stageproof.image.recorded import Folders, Recorded, text
from stageproof.image.tree import Entry, Image

DATABASES = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_PROTECTED = "/etc/"
"""Files that are there to be changed: apk protects them by default (apk-protected_paths(5)), `apk audit` is silent."""


def lists(image: Image) -> list[Entry]:
    """Give the database; it has two places, and one may be a link to the other."""
    found = (image.resolve(path) for path in DATABASES)
    return list({entry.path: entry for entry in found if entry is not None}.values())


def recorded(image: Image) -> Iterator[Recorded]:
    """Give every file of which an Alpine package recorded a sum, without those that may be changed."""
    folders = Folders(image)
    for entry in lists(image):
        for package, path, is_version_3, told in _sums(text(entry.facts.content)):
            where = folders.followed(path)
            if not where.startswith(_PROTECTED):
                yield Recorded(package, where, *_digest(told, is_version_3=is_version_3))


def packages(image: Image) -> list[str]:
    """Name the installed Alpine packages."""
    lines = (line for entry in lists(image) for line in text(entry.facts.content).split("\n"))
    return [line[2:] for line in lines if line.startswith("P:")]


def _sums(database: str) -> Iterator[tuple[str, str, bool, str]]:
    """Give (package, path, whether it is one of version 3, sum) for each file that has a sum."""
    package, folder, file, is_version_3 = "", "", "", False
    for line in database.split("\n"):
        field, value = line[:2], line[2:]
        if not line:
            package, folder, file, is_version_3 = "", "", "", False
        elif field == "P:":
            package = value
        elif field == "f:":
            is_version_3 = "S" in value
        elif field == "F:":
            folder, file = value, ""
        elif field == "R:":
            file = value
        elif field == "Z:" and file:
            yield package, f"/{folder}/{file}" if folder else f"/{file}", is_version_3, value


def _digest(told: str, *, is_version_3: bool) -> tuple[str, str]:
    try:
        digest = base64.b64decode(told[2:], validate=True).hex()
    except (binascii.Error, ValueError):
        return "", ""
    if told.startswith("Q2"):
        return "sha256", digest if len(digest) == len("00") * 32 else ""
    if not told.startswith("Q1") or len(digest) != len("00") * 20:
        return "", ""
    return ("sha256" if is_version_3 else "sha1"), digest
