"""What is in an image, without running it: one index of any image, each layer read once and remembered.

`sources.read` takes names of an engine, docker archives, OCI layouts and standard input; `packages.installed` lists
what is installed in an image.
"""

from __future__ import annotations

from stageproof.image.config import Config, Healthcheck
from stageproof.image.elf import Elf
from stageproof.image.limits import Limits
from stageproof.image.load import load, read_archive
from stageproof.image.needles import Needles
from stageproof.image.traffic import Traffic
from stageproof.image.tree import Entry, Facts, Image, Kind, Layer, Trail

__all__ = [
    "Config",
    "Elf",
    "Entry",
    "Facts",
    "Healthcheck",
    "Image",
    "Kind",
    "Layer",
    "Limits",
    "Needles",
    "Traffic",
    "Trail",
    "load",
    "read_archive",
]
