"""A wrong wall clock for one container: Debian's libfaketime, loaded before the C library of the image's program.

It comes in a volume filled from a small image of its own, which is built where somebody asks for it. What its variables
mean: libfaketime's README.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stageproof import helper
from stageproof.engine import find
from stageproof.helper import Own
from stageproof.image import Image, launch
from stageproof.live import Live
from stageproof.live.tools import shelf

PLACE = "/faketime"
LIBRARY = f"{PLACE}/libfaketime.so.1"
OWN = Own(
    "stageproof/faketime",
    Path(__file__).resolve().parent / "live" / "faketime",
    "/made",
    "no other clock can be shown to a program without it",
)
_PRELOAD = "LD_PRELOAD"
_MUSL = "ld-musl"


@contextmanager
def library(live: Live) -> Iterator[str]:
    """Give a container whose volume holds the library, for `Options.volumes_of`. Raises HelperError."""
    image = helper.ensure(live.client, find.ensure, live.run, OWN)
    with shelf(live, image, PLACE) as volume:
        yield volume


def shifted(image: Image, days: int) -> dict[str, str]:
    """Give the variables by which the library moves the wall clock; only that, as a wrong clock of a machine does."""
    others = image.config.env.get(_PRELOAD, "")
    return {
        _PRELOAD: f"{LIBRARY}:{others}" if others else LIBRARY,
        "FAKETIME": f"{days:+d}d",
        # Neither the time since the boot, nor the times of files.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def obstacle(image: Image) -> str:
    """Say why the library can never be loaded into the image's program; empty if it can, as far as can be seen."""
    entry = launch.executed(image)
    if entry is None or entry.facts.elf is None:
        return ""
    loader = entry.facts.elf.interpreter
    if not loader:
        return f"{entry.path} is static: nothing can be loaded into it, and it asks the kernel for the time"
    if posixpath.basename(loader).startswith(_MUSL):
        return f"{entry.path} is linked to musl, and the library that moves the clock to glibc"
    return ""
