"""Who brought a layer: the base or the app, and by which line of the Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stageproof.dockerfile import Dockerfile, Instruction
from stageproof.image import Image
from stageproof.image.config import Step

APP = "app"
BASE_NAME, BASE_DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"
"""Image specification, pre-defined annotation keys."""
_DEFAULT_REGISTRY = re.compile(r"^(?:(?:index\.)?docker\.io/)(?:library/)?|^library/")
# What the classic builder writes before an instruction that runs nothing; a RUN line stands there as its command alone.
_NOTHING_RUN = re.compile(r"^(?:\|\d+ .*?)?/bin/sh -c #\(nop\)\s+(?P<keyword>[A-Z]+)\b")
_KEYWORD = re.compile(r"^(?P<keyword>[A-Z]{3,})(?:\s|$)")
_COMMAND = re.compile(r"^(?:\|\d+ .*?)?(?:/bin/sh -c|/bin/bash|cmd /S|powershell)\b")


@dataclass(frozen=True)
class Origins:
    """What is known about where an image's layers come from."""

    base: str = ""
    """The name of the base; empty: not known."""
    count: int | None = None
    """How many layers are the base's; None: not known."""
    lines: tuple[int | None, ...] = ()
    """For each layer the line of the Dockerfile."""
    of_keyword: tuple[tuple[str, int], ...] = ()
    """The line of the last instruction of each keyword, of those that make up the image."""

    def of(self, layer: int) -> str:
        """Say who brought a layer, by its number from 1: "base NAME", "app", or nothing."""
        if self.count is None:
            return ""
        return f"base {self.base}".rstrip() if layer <= self.count else APP

    def line(self, layer: int) -> int | None:
        """Give the line of the Dockerfile that made a layer, by its number from 1."""
        return self.lines[layer - 1] if 0 < layer <= len(self.lines) else None

    def line_of(self, *keywords: str) -> int | None:
        """Give the line of the last instruction with one of these keywords."""
        found = [line for keyword, line in self.of_keyword if keyword in keywords]
        return max(found, default=None)


def find(image: Image, bases: Mapping[str, Image], dockerfile: Dockerfile | None) -> Origins:
    """Find out what can be known: by the bases' diff ids, by the Dockerfile and the history, by the image's label."""
    name, count = _by_diff_ids(image, bases)
    steps = dockerfile.steps() if dockerfile else ()
    matched = _matched(image.config.history, steps)
    lines = _lines(image, matched)
    if dockerfile is not None and matched is not None:
        # What the build itself laid over the base (a company's certificates) is below the first line too.
        above = sum(not step.empty_layer for step in image.config.history[len(image.config.history) - len(matched) :])
        count = len(image.layers) - above
        name = name or dockerfile.base()
    return Origins(
        base=name or image.config.labels.get(BASE_NAME, ""),
        count=count,
        lines=lines,
        of_keyword=tuple((each.keyword, each.line) for each in steps),
    )


def same_name(one: str, other: str) -> bool:
    """Whether two references name the same image: `debian:13` is `docker.io/library/debian:13`."""
    return _short(one) == _short(other)


def is_on(image: Image, base: Image) -> bool:
    """Whether the image begins with the layers of the base."""
    return tuple(base.config.diff_ids) == tuple(image.config.diff_ids[: len(base.config.diff_ids)])


def _short(reference: str) -> str:
    name = _DEFAULT_REGISTRY.sub("", reference.partition("@")[0])
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _by_diff_ids(image: Image, bases: Mapping[str, Image]) -> tuple[str, int | None]:
    under = [(len(base.layers), name) for name, base in bases.items() if base.layers and is_on(image, base)]
    return max(under)[::-1] if under else ("", None)


def _matched(history: Sequence[Step], steps: Sequence[Instruction]) -> tuple[Instruction, ...] | None:
    """Give the instructions if the history ends with them, keyword by keyword; None if it does not."""
    if not steps or len(steps) > len(history):
        return None
    last = [_keyword(step.created_by) for step in history[len(history) - len(steps) :]]
    return tuple(steps) if last == [each.keyword for each in steps] else None


def _keyword(created_by: str) -> str:
    for form in (_NOTHING_RUN, _KEYWORD):
        if match := form.match(created_by):
            return match["keyword"]
    return "RUN" if _COMMAND.match(created_by) else ""


def _lines(image: Image, matched: Sequence[Instruction] | None) -> tuple[int | None, ...]:
    history = image.config.history
    if not matched or sum(not step.empty_layer for step in history) != len(image.layers):
        return ()
    lines: list[int | None] = [None] * (len(history) - len(matched)) + [each.line for each in matched]
    return tuple(line for step, line in zip(history, lines, strict=True) if not step.empty_layer)
