"""What is in an image, without running it: one pass over `docker save`, each layer read once and remembered."""

from __future__ import annotations

from stageproof.image.config import Config, Healthcheck
from stageproof.image.elf import Elf
from stageproof.image.load import load, read_archive
from stageproof.image.needles import Needles
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
    "Needles",
    "Trail",
    "load",
    "read_archive",
]
