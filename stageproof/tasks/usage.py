"""A misspelt task or option is answered with the known ones and the nearest, before invoke sees it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from invoke.collection import Collection

from stageproof.catalog import known
from stageproof.errors import UsageError

_PROGRAMS = ("invoke", "inv")


def check(collection: Collection, arguments: Sequence[str]) -> None:
    """End the program with exit code 2 if an argument names no task, or no option of the task before it."""
    if Path(arguments[0]).name not in _PROGRAMS:
        return
    try:
        _check(collection, arguments[1:])
    except UsageError as error:
        sys.stderr.write(f"✘ {error}\n")
        sys.exit(error.exit_code)


def _check(collection: Collection, arguments: Sequence[str]) -> None:
    names = set(collection.task_names) | {alias for each in collection.task_names.values() for alias in each}
    task, value_follows = "", False
    for argument in arguments:
        if value_follows:
            value_follows = False
        elif not argument.startswith("-"):
            task = argument
            if not _is_positional(collection, task, names):
                known("task", argument, names)
        elif task in names and argument.startswith("--"):
            option, _, given = argument.partition("=")
            options = _options(collection, task)
            if option not in (*options, "--help"):
                known(f"option of {task}", option, options)
            value_follows = options.get(option, False) and not given


def _is_positional(collection: Collection, word: str, names: set[str]) -> bool:
    """Words after a task with positional arguments (`run go plain`) are no tasks: that task judges them."""
    if word in names:
        return True
    given = [each for each in sys.argv[1:] if each in names]
    return any(collection[name].positional for name in given)


def _options(collection: Collection, task: str) -> dict[str, bool]:
    """Give the long options of a task, and whether a value follows each."""
    return {
        name if name.startswith("--") else f"--{name}": argument.takes_value
        for argument in collection[task].get_arguments()
        for name in argument.names
        if len(name) > 1
    } | {f"--no-{argument.name}": False for argument in collection[task].get_arguments() if argument.default is True}
