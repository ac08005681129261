"""What Debian packages say about their own files: MD5 sums, diversions, names of the packages.

Sources: dpkg(1), `--verify`; deb-md5sums(5); dpkg-divert(1); distroless keeps the same lists in status.d.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from stageproof.image.tree import Image

_LISTS = ("/var/lib/dpkg/info", "/var/lib/dpkg/status.d")
_STATUS = "/var/lib/dpkg/status"
_DIVERSIONS = "/var/lib/dpkg/diversions"
_MD5_DIGITS = 32
_INSTALLED = re.compile(r"^Status: .* (installed|triggers-\w+)$", re.MULTILINE)
_FIELD = re.compile(r"^(?P<field>Package|Source): (?P<value>\S+)", re.MULTILINE)
_DIVERSION_LINES = 3


class Recorded(NamedTuple):
    """A file as its package brought it."""

    package: str
    path: str
    """Where it stands in the image: links in folders followed, diversions applied."""
    md5: str


def recorded(image: Image) -> Iterator[Recorded]:
    """Give every file of which a Debian package recorded the MD5 sum. Conffiles are not among them: they may change."""
    diverted = _diversions(image)
    folders: dict[str, str] = {}
    for place in _LISTS:
        for entry in image.walk(place):
            if not entry.name.endswith(".md5sums"):
                continue
            package = entry.name.removesuffix(".md5sums").partition(":")[0]
            for line in _text(entry.facts.content).splitlines():
                md5, _, path = line.partition("  ")
                if len(md5) == _MD5_DIGITS and path:
                    path = "/" + path.removeprefix("./").removeprefix("/")
                    to, by = diverted.get(path, (path, package))
                    yield Recorded(package, _followed(image, to if by != package else path, folders), md5)


def unread_lists(image: Image) -> list[str]:
    """Name the lists of sums whose content is not in the index."""
    return [
        entry.path
        for place in _LISTS
        for entry in image.walk(place)
        if entry.name.endswith(".md5sums") and entry.size and entry.facts.content is None
    ]


def installed(image: Image) -> Mapping[str, str]:
    """Give the installed Debian packages, each with its source package: of `status`, and of distroless' status.d."""
    paragraphs = [each for each in _text(image.read(_STATUS)).split("\n\n") if _INSTALLED.search(each)]
    records = [entry for entry in image.walk(_LISTS[1]) if not entry.name.endswith(".md5sums")]
    paragraphs += [_text(entry.facts.content) for entry in records]
    found: dict[str, str] = {}
    for paragraph in paragraphs:
        fields = {match["field"]: match["value"] for match in _FIELD.finditer(paragraph)}
        if "Package" in fields:
            found[fields["Package"]] = fields.get("Source", fields["Package"])
    return found


def _diversions(image: Image) -> Mapping[str, tuple[str, str]]:
    """Path -> (where other packages' file of that name went, the package that diverts; `:` is the administrator)."""
    lines = _text(image.read(_DIVERSIONS)).splitlines()
    groups = (lines[at : at + _DIVERSION_LINES] for at in range(0, len(lines), _DIVERSION_LINES))
    return {group[0]: (group[1], group[2]) for group in groups if len(group) == _DIVERSION_LINES}


def _followed(image: Image, path: str, folders: dict[str, str]) -> str:
    folder, _, name = path.rpartition("/")
    if folder not in folders:
        found = image.resolve(folder or "/")
        folders[folder] = found.path.rstrip("/") if found else folder
    return f"{folders[folder]}/{name}"


def _text(content: bytes | None) -> str:
    return (content or b"").decode("utf-8", "surrogateescape")
