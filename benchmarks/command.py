"""How long the `stageproof` command takes to say something, beside a Python that does nothing; nothing here is a test.

    .venv/bin/python benchmarks/command.py P10

P10  `stageproof --help`, median of 15          at most 0.15 s; the ratio is to `python -c pass`
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = str(Path(sys.executable).parent / "stageproof")
ROUNDS = 15
GOAL = 0.15


def seconds(command: Sequence[str]) -> float:
    """Time one run of a command that must succeed."""
    begun = time.monotonic()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - begun


def helped() -> None:
    """Measure P10: both commands in turns, so that a busy moment meets both."""
    bare, helping = [sys.executable, "-c", "pass"], [COMMAND, "--help"]
    pairs = [(seconds(bare), seconds(helping)) for _ in range(ROUNDS + 1)][1:]
    nothing, shown = (statistics.median(column) for column in zip(*pairs, strict=True))
    verdict = "kept" if shown <= GOAL else "missed"
    print(f"P10  stageproof --help {shown:.3f} s (goal {GOAL} s: {verdict}), python -c pass {nothing:.3f} s", end="")
    print(f", ratio {shown / nothing:.1f}")


MEASURES = {"P10": helped}

if __name__ == "__main__":
    for name in sys.argv[1:] or MEASURES:
        MEASURES[name]()
