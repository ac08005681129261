"""What a Dockerfile's `FROM` lines say: the stages, and the images that they start from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_CONTINUED = re.compile(r"\\[ \t]*\n(?:[ \t]*#[^\n]*\n)*")
_ARG = re.compile(r"^ARG\s+(?P<name>\w+)(?:=(?P<value>\S*))?\s*$", re.IGNORECASE)
_FROM = re.compile(r"^FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<name>\S+))?\s*$", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


@dataclass(frozen=True)
class Stage:
    """One `FROM` line: the stage's name (empty if it has none) and what it starts from, arguments put in."""

    name: str
    image: str


def stages(text: str, args: Mapping[str, str] | None = None) -> tuple[Stage, ...]:
    """Read the stages of a Dockerfile in order; `args` override the defaults of its global `ARG` lines."""
    values: dict[str, str] = {}
    found: list[Stage] = []
    for line in _CONTINUED.sub(" ", text).splitlines():
        statement = line.strip()
        if (argument := _ARG.match(statement)) and not found:
            name = argument["name"]
            values[name] = (args or {}).get(name, (argument["value"] or "").strip("\"'"))
        elif start := _FROM.match(statement):
            image = _VARIABLE.sub(lambda match: values.get(match[1], match[0]), start["image"])
            found.append(Stage(name=(start["name"] or "").lower(), image=image))
    return tuple(found)


def bases(text: str, args: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Name the images that a Dockerfile starts from, each once, in order; stages of its own and `scratch` are none."""
    own: set[str] = {"scratch"}
    images: list[str] = []
    for stage in stages(text, args):
        if stage.image.lower() not in own and stage.image not in images:
            images.append(stage.image)
        own.add(stage.name)
    return tuple(images)
