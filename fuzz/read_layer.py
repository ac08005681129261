"""Look for bytes that a layer's reader neither reads nor refuses. See README.md."""

from __future__ import annotations

import contextlib
import sys

import atheris

with atheris.instrument_imports(include=["stageproof"]):
    from stageproof.errors import ImageError
    from stageproof.image import Needles, layer, packing
    from stageproof.image.limits import Limits

LIMITS = Limits(layer=64 << 20, kept=1 << 20, ratio_from=1 << 20, seconds=20)
NEEDLES = Needles.of("canary-9f2d41c8")


def one(data: bytes) -> None:
    """Read one layer; ImageError is an answer, everything else is a finding."""
    with contextlib.suppress(ImageError):
        pieces = packing.unpacked(data[:512], [data], "a layer", LIMITS)
        layer.read(pieces, NEEDLES, weigh=False, limits=LIMITS)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
