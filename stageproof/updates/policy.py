"""Installed versions against a suite's: apt itself orders them, `apt-cache policy` shows the order (apt-cache(8)).

Its table of versions is read and not its candidate: a point release may hold a newer version than the security suite,
and is the candidate then, though the installed one is older than both.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stageproof.updates import apt
from stageproof.updates.apt import Unavailable
from stageproof.updates.lists import Lists

MOST = 10_000
"""Packages that are asked about at once: their names are arguments of a command."""
NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{0,99}")
VERSION = re.compile(r"(?:[0-9]+:)?[0-9A-Za-z.+~-]{1,200}")
"""deb-version(7)"""
ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
CODENAME = re.compile(r"[a-z]{1,30}")
_BLOCK = re.compile(r"^(\S+):$")
_INSTALLED = re.compile(r"^  Installed: (\S+)$")
_VERSION = re.compile(r"^ (?P<mark>\*\*\*|   ) (?P<version>\S+)")
_PLACE = re.compile(r"^ {7,}-?\d+ (?P<place>.+)$")


@dataclass(frozen=True)
class Answer:
    """What apt says of one installed package."""

    installed: str
    """The version as apt sees it; empty: apt does not see it installed."""
    security: str = ""
    """The newest version of the security suite, if that is newer than the installed one."""
    newer: str = ""
    """The newest version of all suites, if that is newer than the installed one."""
    is_listed: bool = False
    """Whether any list names a version of it at all."""


def ask(lists: Lists, installed: Mapping[str, tuple[str, str]]) -> dict[str, Answer]:
    """Ask about packages, name -> (version, architecture), each of the lists' own architecture or `all`.

    Raises Unavailable, also where apt does not see exactly the packages that were written for it.
    """
    if len(installed) > MOST:
        reason = f"{len(installed)} packages are more than are asked about"
        raise Unavailable(reason)
    with tempfile.TemporaryDirectory(prefix="stageproof-") as folder:
        status = Path(folder) / apt.STATUS
        status.write_text("".join(_paragraphs(installed)))
        command = ["apt-cache", "-o", f"Dir::State::status={status}", "policy", *installed]
        answers = dict(_answers(apt.said(command, lists.folder).splitlines(), lists.codename, str(status)))
    unseen = [name for name, (version, _) in installed.items() if answers.get(name, Answer("")).installed != version]
    if unseen or len(answers) != len(installed):
        reason = f"apt saw {len(installed) - len(unseen)} of {len(installed)} installed packages as they were written"
        raise Unavailable(reason, ", ".join(unseen[:5]))
    return answers


def _paragraphs(installed: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    for name, (version, architecture) in installed.items():
        yield f"Package: {name}\nStatus: install ok installed\nVersion: {version}\nArchitecture: {architecture}\n\n"


def _answers(lines: Iterable[str], codename: str, status: str) -> Iterator[tuple[str, Answer]]:
    block: list[str] = []
    for line in [*lines, "end:"]:
        if found := _BLOCK.match(line):
            if block:
                yield block[0], _answer(block[1:], codename, status)
            block = [found[1]]
        elif block:
            block.append(line)


def _answer(block: Sequence[str], codename: str, status: str) -> Answer:
    """Read one package's block; the table is ordered by version, newest first, the installed one marked."""
    installed = next((found[1] for line in block if (found := _INSTALLED.match(line))), "")
    is_above, version, above, of_security, is_listed = True, "", "", "", False
    for line in block:
        if found := _PLACE.match(line):
            is_listed |= not found["place"].startswith(status)
            if is_above and version != installed:
                above = above or version
                if f" {codename}-security/" in found["place"]:
                    of_security = of_security or version
        elif found := _VERSION.match(line):
            version = found["version"]
            is_above = is_above and found["mark"] != "***"
    return Answer("" if installed == "(none)" else installed, of_security, above, is_listed)
