"""Look for bytes that the reader of image archives neither reads nor refuses. See README.md."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["stageproof"]):
    from stageproof.errors import ImageError
    from stageproof.image import sources
    from stageproof.image.limits import Limits

LIMITS = Limits(layer=64 << 20, kept=1 << 20, ratio_from=1 << 20, seconds=20)
CACHE = Path(tempfile.gettempdir()) / "stageproof-fuzz"
"""One folder for all runs: the fuzzer ends the process at once, and nothing can be removed then."""


def one(data: bytes) -> None:
    """Read one archive, as a stream and as a file; ImageError is an answer, everything else is a finding."""
    path = CACHE / "archive.tar"
    path.write_bytes(data)
    for source in ("-", str(path)):
        with contextlib.suppress(ImageError):
            sources.read([source], cache=CACHE / "layers", stdin=io.BytesIO(data), limits=LIMITS, weigh=False)


if __name__ == "__main__":
    shutil.rmtree(CACHE, ignore_errors=True)
    CACHE.mkdir()
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
