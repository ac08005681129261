"""Where reports go: `json` to the standard output, `json:report.json` to a file; several at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stageproof.errors import UsageError
from stageproof.names import nearest
from stageproof.report import formats

TERMINAL = "terminal"


@dataclass(frozen=True)
class Output:
    """One report that is to be written."""

    format: str
    file: Path | None = None
    """None: the standard output."""


def outputs(asked: Sequence[str], file: str = "") -> list[Output]:
    """Read `--format` (given often, or with commas) and `--output`, which is for the format that names no file itself.

    What goes to files leaves the terminal's report where it was. Raises UsageError for an unknown format, and where two
    would go to one place.
    """
    words = [word for each in asked for word in each.split(",") if word]
    made = [_output(word) for word in words] or [Output(TERMINAL)]
    free = [each for each in made if each.file is None]
    if len(free) > 1:
        failed = f"{free[0].format} and {free[1].format} cannot both go to {file or 'the standard output'}"
        raise UsageError(failed, do=f"give one a file of its own: --format {free[1].format}:FILE")
    if file and not free:
        failed = "--output is for a format without a file, and each has one"
        raise UsageError(failed, do="leave --output away")
    if file:
        made = [Output(each.format, each.file or Path(file)) for each in made]
    files = [each.file for each in made if each.file]
    if len(set(files)) < len(files):
        failed = "two formats cannot go to one file"
        raise UsageError(failed, seen=", ".join(map(str, files)))
    return made if any(each.file is None for each in made) else [Output(TERMINAL), *made]


def _output(word: str) -> Output:
    name, _, file = word.partition(":")
    known = formats.names()
    if name not in known:
        failed = f"there is no format {name!r}"
        raise UsageError(failed, seen=f"known: {', '.join(known)}", do=nearest(name, known))
    return Output(name, Path(file) if file else None)


def write(path: Path, text: str) -> None:
    """Write a file in one piece: whoever reads it never sees half of it. Raises UsageError if it cannot be written.

    A link is followed, and what is no file, such as /dev/null or a pipe, is written to and stays what it is.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8")
        else:
            _replace(target, text)
    except OSError as error:
        failed = f"{path} cannot be written"
        raise UsageError(failed, seen=str(error), do="name a file in a folder that exists and is yours") from error


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
