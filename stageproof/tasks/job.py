"""What every task does alike: say errors in four parts, and end with their exit codes."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from invoke.exceptions import Exit

from stageproof.engine.client import failures_as_errors
from stageproof.errors import Error
from stageproof.interruption import Terminated, sigterm_as_interrupt

ROOT = Path(__file__).resolve().parent.parent.parent
"""The project's folder: tasks are jobs of this repository."""

Body = TypeVar("Body", bound=Callable[..., Any])


def job(body: Body) -> Body:
    """Wrap a task's body: an Error is printed, never a traceback, and its exit code is the task's."""

    @functools.wraps(body)
    def wrapped(*args: object, **kwargs: object) -> object:
        try:
            with failures_as_errors(), sigterm_as_interrupt():
                return body(*args, **kwargs)
        except Error as error:
            say_error(error)
            raise Exit(code=error.exit_code) from None
        except KeyboardInterrupt:
            sys.stderr.write("\nstopped\n")
            raise Exit(code=130) from None

    return cast("Body", wrapped)


def command(words: Sequence[str]) -> int:
    """Run a program of the project to its end, and give its exit code; Ctrl-C is its own to answer."""
    with subprocess.Popen(words, cwd=ROOT) as process:
        try:
            return process.wait()
        except KeyboardInterrupt as interrupt:
            if isinstance(interrupt, Terminated):
                process.send_signal(signal.SIGINT)
            # It removes what it has started; leaving the block waits for that.
            raise


def say(line: str = "") -> None:
    """Print a line at once, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say_error(error: Error) -> None:
    """Print the four parts of an error, the exit code beside the first."""
    first, _, rest = str(error).partition("\n")
    mark = f"✘ {first}"
    sys.stderr.write(f"{mark:<86} exit {error.exit_code}\n" + (f"{rest}\n" if rest else ""))


def is_terminal() -> bool:
    """Whether somebody watches: a terminal, and no NO_COLOR, no CI."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and "CI" not in os.environ
