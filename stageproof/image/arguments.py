"""Which argument of an interpreter is the script: node, python, java."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Options that take the next word: "Command-line API" of Node, "Command line and environment" of Python.
_NODE_VALUES = frozenset(
    {"-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "--env-file"}
)
_NODE_NO_SCRIPT = frozenset({"-e", "--eval", "-p", "--print", "-v", "--version", "--test", "-i", "-h", "--help", "-"})
_PYTHON_VALUES = frozenset({"-W", "-X"})
_PYTHON_NO_SCRIPT = re.compile(r"-[A-Za-z]*[cmVh]|--version|--help|-")


@dataclass(frozen=True)
class Script:
    """The file that an interpreter is told to run; `endings` are those it tries to add."""

    path: str
    endings: tuple[str, ...] = ()


def script(interpreter: str, words: Sequence[str]) -> Script | None:
    """Give the script among the words after an interpreter; None where there is none that is known."""
    if re.fullmatch(r"node(js)?", interpreter):
        return _node(words)
    if re.fullmatch(r"python(\d+(\.\d+)?)?", interpreter):
        return _python(words)
    if interpreter == "java":
        return _java(words)
    return None


def _node(words: Sequence[str]) -> Script | None:
    left = list(words)
    while left:
        word = left.pop(0)
        if word in _NODE_NO_SCRIPT:
            return None
        if word in _NODE_VALUES:
            left = left[1:]
        elif not word.startswith("-"):
            return None if word == "inspect" else Script(word, (".js", ".mjs", ".cjs", "/package.json", "/index.js"))
    return None


def _python(words: Sequence[str]) -> Script | None:
    left = list(words)
    while left:
        word = left.pop(0)
        if word in _PYTHON_VALUES:
            left = left[1:]
        elif _PYTHON_NO_SCRIPT.fullmatch(word):
            return None
        elif not word.startswith("-"):
            return Script(word)
    return None


def _java(words: Sequence[str]) -> Script | None:
    for number, word in enumerate(words):
        if word == "-jar" and number + 1 < len(words):
            return Script(words[number + 1])
        if not word.startswith(("-", "@")):
            return None
    return None
