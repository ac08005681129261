"""`lint` and `test`: what this repository asks of itself, tier by tier."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from stageproof.catalog import known
from stageproof.tasks.job import ROOT, command, job, say
from stageproof.tasks.proof import WORKERS

_BIN = Path(sys.executable).parent
_PYTEST = [sys.executable, "-m", "pytest"]


def _lint() -> list[list[str]]:
    dockerfiles = sorted(
        str(path.relative_to(ROOT)) for path in ROOT.glob("**/*Dockerfile") if ".venv" not in path.parts
    )
    return [
        [str(_BIN / "ruff"), "check"],
        [str(_BIN / "ruff"), "format", "--check"],
        [str(_BIN / "hadolint"), *dockerfiles],
    ]


_TIERS = {
    "lint": "ruff, the format, hadolint",
    "types": "mypy, strict",
    "imports": "who may import whom",
    "unit": "no engine; seconds",
    "engine": "a real engine: finding, making, bases, containers",
    "images": "every recipe x every claim of its contract",
}


def _commands(tier: str) -> list[list[str]]:
    coverage = ["--cov=stageproof", "--cov-append", "--cov-report="]
    return {
        "lint": _lint(),
        "types": [[str(_BIN / "mypy")]],
        "imports": [[str(_BIN / "lint-imports"), "--no-cache"]],
        "unit": [[*_PYTEST, "tests/unit", "-n", "2", *coverage]],
        # Not the files with the most tests first: those with the longest tests have few, and would be waited for.
        "engine": [[*_PYTEST, "tests/engine", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", *coverage]],
        # No coverage: it would slow down what is timed, and count lines that the other tiers test one by one.
        "images": [[*_PYTEST, "tests/images", "-n", str(WORKERS)]],
    }[tier]


@task
@job
def lint(_: Context) -> None:
    """Check style, types and imports."""
    _run(["lint", "types", "imports"])


@task(name="test", help={"tier": f"only this tier: {', '.join(_TIERS)}"})
@job
def run_tests(_: Context, tier: str | None = None) -> None:
    """Run every tier: lint, types, imports, unit, engine, images."""
    if tier:
        known("tier", tier, _TIERS)
    (ROOT / ".coverage").unlink(missing_ok=True)
    _run([tier] if tier else list(_TIERS))
    if not tier:
        command([str(_BIN / "coverage"), "report", "--skip-covered", "--skip-empty"])


def _run(tiers: Sequence[str]) -> None:
    failed = []
    for tier in tiers:
        say(f"\n== {tier}: {_TIERS[tier]}")
        # pytest's exit code 5 (no test ran) is a failure too: an empty tier proves nothing.
        codes = [command(words) for words in _commands(tier)]
        if any(codes):
            failed.append(tier)
    if failed:
        say(f"\n✘ failed: {', '.join(failed)}")
        raise Exit(code=1)
