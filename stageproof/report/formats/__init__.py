"""What was decided about images, for people and for machines: a module each, found by listing this folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from typing import Protocol, cast

from stageproof.verify import Verified


class Format(Protocol):
    """The module of one format."""

    def render(self, images: Sequence[Verified]) -> str:
        """Write it; the text ends with a line end."""


def names() -> list[str]:
    """Name every format."""
    return sorted(module.name.strip("_") for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Format:
    """Give a format by one of its names."""
    modules = {module.name.strip("_"): module.name for module in pkgutil.iter_modules(__path__)}
    return cast("Format", importlib.import_module(f"{__name__}.{modules[name]}"))
