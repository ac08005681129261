"""What an image's os-release file says of its operating system (os-release(5))."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stageproof.image.tree import Entry, Image

PLACES = ("/etc/os-release", "/usr/lib/os-release")
_IN_BRACKETS = re.compile(r"\(([a-z]+)\)$")


def find(image: Image) -> Entry | None:
    """Give the file, if there is one."""
    return next((found for place in PLACES if (found := image.resolve(place)) is not None), None)


def fields(entry: Entry | None) -> Mapping[str, str]:
    """Read its lines `NAME=value`, quotes taken off."""
    content = (entry.facts.content if entry else None) or b""
    pairs = (line.strip().partition("=") for line in content.decode("utf-8", "replace").splitlines())
    return {name: value.strip("\"'") for name, equals, value in pairs if equals}


def codename(told: Mapping[str, str]) -> str:
    """Give the release's code name; distroless has it in VERSION alone: `Debian GNU/Linux 13 (trixie)`."""
    bracketed = _IN_BRACKETS.search(told.get("VERSION", ""))
    return told.get("VERSION_CODENAME") or (bracketed[1] if bracketed else "")
