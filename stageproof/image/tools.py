"""Tools that a production image should not hold, found by content where there is a marker, otherwise by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stageproof.image import programs
from stageproof.image.packages import normal_python
from stageproof.image.tree import Entry, Image

_SHELLS = re.compile(
    r"(r?bash|d?ash|sh|zsh\d?|m?ksh(93)?|lksh|pdksh|posh|yash|t?csh|bsd-csh|fish|sash|rc|elvish|nu|pwsh|osh|oils)"
)
_PACKAGE_MANAGERS = re.compile(
    r"apt|apt-(get|cache|mark|config|key|helper)|aptitude|dpkg(-deb|-query|-unpack)?|apk|rpm|dnf\d?|yum|microdnf|zypper|pacman|opkg|xbps-install"
    r"|emerge|snap|flatpak|brew|nix(-env|-store)?|guix"
)
_DOWNLOADERS = re.compile(r"curl|wget2?|aria2c|axel|xh|lynx|w3m|e?links2?|lftp|t?ftp|scp|sftp|rsync|lwp-request|GET")
_EDITORS = re.compile(r"n?vi|nex|vim(\.\w+)?|nano|pico|emacs(-\w+)?|r?ed|ex|joe|mg|micro|mcedit|ne|jed|kak|hx|helix")
_COMPILERS = re.compile(
    r"((\w+-)+)?(cc|gcc|g\+\+|c\+\+|cpp|gfortran|gnat|as|ld(\.\w+)?|clang|clang\+\+|clang-cpp|lld)(-?[\d.]+)?"
    r"|cc1(plus|obj)?|lto1|collect2|tcc|rustc|javac|jlink|jshell|kotlinc|scalac|ghc|ocamlopt|dotnet-sdk|go|gofmt"
    r"|g?make|cmake|ninja|meson|scons|bazel|m4|autoconf|automake|mvn(d|w|Debug)?|gradlew?|ant|sbt|node-gyp"
)
_LANGUAGE_MANAGERS = re.compile(
    r"pip(\d+(\.\d+)?)?|uvx?|poetry|pipenv|pdm|hatch|conda|mamba|easy_install|npm|npx|yarn(pkg)?|pnpm|pnpx|corepack|bun"
    r"|gem|bundler?|composer|cargo|rustup|cabal|stack|nuget|luarocks|cpanm?"
)
_PYTHON_MANAGERS = frozenset({"pip", "uv", "poetry", "pipenv", "pdm", "hatch", "conda"})
_NODE_MANAGERS = frozenset({"npm", "yarn", "pnpm", "corepack", "cnpm", "@yarnpkg/cli", "@yarnpkg/cli-dist"})
_PIP_ITSELF = "pip/_internal/cli/main.py"
_BUILD_JARS = re.compile(
    r"(maven-core|gradle-launcher|gradle-wrapper|ant-launcher|sbt-launch|kotlin-compiler)[^/]*\.jar"
)


@dataclass(frozen=True)
class Tool:
    """A file that is, or brings, a tool; and how it was told."""

    entry: Entry
    how: str


def shells(image: Image) -> list[Tool]:
    """Find every shell under any name, and files that bear a shell's name and are programs."""
    return list(_programs(image.tree.values(), programs.SHELLS, _SHELLS, scripts=False))


def hidden_shells(image: Image) -> list[tuple[int, Tool]]:
    """Find shells that only lower layers hold: (number of the layer, shell)."""
    shown = {(entry.path, entry.sha256) for entry in image.tree.values()}
    return [
        (layer.number, tool)
        for layer in image.layers
        for tool in _programs(layer.entries.values(), programs.SHELLS, _SHELLS, scripts=False)
        if (tool.entry.path, tool.entry.sha256) not in shown
    ]


def package_managers(image: Image) -> list[Tool]:
    """Find apt, dpkg, apk, rpm and their like."""
    return list(_programs(image.tree.values(), programs.PACKAGE_MANAGERS, _PACKAGE_MANAGERS))


def download_tools(image: Image) -> list[Tool]:
    """Find curl, wget and their like."""
    return list(_programs(image.tree.values(), programs.DOWNLOADERS, _DOWNLOADERS))


def editors(image: Image) -> list[Tool]:
    """Find vi, nano and their like."""
    return list(_programs(image.tree.values(), programs.EDITORS, _EDITORS))


def compilers(image: Image) -> list[Tool]:
    """Find compilers, linkers and build tools; in a Java runtime the module `jdk.compiler`, and build tools' jars."""
    found = list(_programs(image.tree.values(), programs.COMPILERS, _COMPILERS))
    for entry in image.tree.values():
        if entry.name == "release" and b"jdk.compiler" in (entry.facts.content or b""):
            found.append(Tool(entry, "a Java runtime with the module jdk.compiler, which is javac"))
        if entry.is_file and _BUILD_JARS.fullmatch(entry.name):
            found.append(Tool(entry, "a build tool, by the name of its jar"))
    return found


def language_package_managers(image: Image) -> list[Tool]:
    """Find pip, npm and their like: as commands, and as packages without a command."""
    found = list(_programs(image.tree.values(), frozenset(), _LANGUAGE_MANAGERS))
    for entry in image.tree.values():
        if entry.path.endswith("/" + _PIP_ITSELF):
            found.append(Tool(entry, "pip: `python -m pip` needs no command"))
        elif _PIP_ITSELF in entry.facts.members:
            found.append(Tool(entry, "a wheel of pip, which Python can run as it is"))
        elif entry.path.endswith(".dist-info/METADATA") and _python_name(entry) in _PYTHON_MANAGERS:
            found.append(Tool(entry, f"the Python package {_python_name(entry)}"))
        elif entry.name == "package.json" and _node_name(entry) in _NODE_MANAGERS:
            found.append(Tool(entry, f"the Node package {_node_name(entry)}: `node` needs no command to run it"))
    return found


def _programs(
    entries: Iterable[Entry], known: frozenset[str], names: re.Pattern[str], *, scripts: bool = True
) -> Iterator[Tool]:
    for entry in entries:
        facts = entry.facts
        if facts.program in known:
            told = (
                facts.program if facts.program in entry.name else f"{facts.program}, found by content and not by name"
            )
            yield Tool(entry, told)
        elif (
            entry.mode & 0o111
            and not entry.path.startswith("/etc/")
            and names.fullmatch(entry.name)
            and (facts.elf or (scripts and facts.interpreter))
        ):
            yield Tool(entry, f"a program called {entry.name}")


def _python_name(entry: Entry) -> str:
    match = re.search(rb"(?mi)^name:\s*(\S+)", entry.facts.content or b"")
    return normal_python(match[1].decode("utf-8", "replace")) if match else ""


def _node_name(entry: Entry) -> str:
    match = re.search(rb'"name": "([^"]+)".*"bin": true', entry.facts.content or b"")
    return match[1].decode("utf-8", "replace") if match else ""
