"""What Debian packages say about their own files: MD5 sums, diversions, names of the packages.

Sources: dpkg(1), `--verify`; deb-md5sums(5); dpkg-divert(1); distroless keeps the same lists in status.d.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stageproof.image.recorded import Folders, Recorded, text
from stageproof.image.tree import Entry, Image

_LISTS = ("/var/lib/dpkg/info", "/var/lib/dpkg/status.d")
_STATUS = "/var/lib/dpkg/status"
_DIVERSIONS = "/var/lib/dpkg/diversions"
_MD5_DIGITS = 32
_INSTALLED = re.compile(r"^Status: .* (installed|triggers-\w+)$", re.MULTILINE)
_FIELD = re.compile(r"^(?P<field>Package|Source): (?P<value>\S+)", re.MULTILINE)
_DIVERSION_LINES = 3


def lists(image: Image) -> list[Entry]:
    """Give the lists of sums."""
    return [entry for place in _LISTS for entry in image.walk(place) if entry.name.endswith(".md5sums")]


def recorded(image: Image) -> Iterator[Recorded]:
    """Give every file of which a Debian package recorded the MD5 sum. Conffiles are not among them: they may change."""
    diverted = _diversions(image)
    folders = Folders(image)
    for entry in lists(image):
        package = entry.name.removesuffix(".md5sums").partition(":")[0]
        for line in text(entry.facts.content).splitlines():
            md5, _, path = line.partition("  ")
            if len(md5) == _MD5_DIGITS and path:
                path = "/" + path.removeprefix("./").removeprefix("/")
                to, by = diverted.get(path, (path, package))
                yield Recorded(package, folders.followed(to if by != package else path), "md5", md5)


def installed(image: Image) -> Mapping[str, str]:
    """Give the installed Debian packages, each with its source package: of `status`, and of distroless' status.d."""
    paragraphs = [each for each in text(image.read(_STATUS)).split("\n\n") if _INSTALLED.search(each)]
    records = [entry for entry in image.walk(_LISTS[1]) if not entry.name.endswith(".md5sums")]
    paragraphs += [text(entry.facts.content) for entry in records]
    found: dict[str, str] = {}
    for paragraph in paragraphs:
        fields = {match["field"]: match["value"] for match in _FIELD.finditer(paragraph)}
        if "Package" in fields:
            found[fields["Package"]] = fields.get("Source", fields["Package"])
    return found


def _diversions(image: Image) -> Mapping[str, tuple[str, str]]:
    """Path -> (where other packages' file of that name went, the package that diverts; `:` is the administrator)."""
    lines = text(image.read(_DIVERSIONS)).splitlines()
    groups = (lines[at : at + _DIVERSION_LINES] for at in range(0, len(lines), _DIVERSION_LINES))
    return {group[0]: (group[1], group[2]) for group in groups if len(group) == _DIVERSION_LINES}
