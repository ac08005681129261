"""What a Dockerfile says: its instructions with their lines, its stages, and the images that they start from.

Syntax: the Dockerfile reference (comments, parser directives, continuation, here-documents, exec form, variables).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

_DIRECTIVE = re.compile(r"^#\s*(?P<name>[A-Za-z][A-Za-z0-9]*)\s*=\s*(?P<value>.*\S)")
_FLAG = re.compile(r"--(?P<name>[a-z][a-z-]*)(?:=(?P<value>\S*))?\s+")
_HERE = re.compile(r"(?<!<)\d*<<(?P<strip>-?)(?P<quote>[\"']?)(?P<word>[A-Za-z_][\w.]*)(?P=quote)")
_FROM = re.compile(r"^(?P<image>\S+)(?:\s+AS\s+(?P<name>\S+))?$", re.IGNORECASE)
_ASSIGNED = re.compile(r"(?P<name>[^\s=]+)(?:=(?P<value>(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\\.|[^\s\"'\\])*))?")
_VARIABLE = re.compile(
    r"\\\$|\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?:(?P<how>:?[-+?])(?P<word>[^{}]*(?:\$\{\w+\}[^{}]*)*))?\})"
)
_HERE_DOCUMENTS = frozenset({"RUN", "COPY", "ADD"})


@dataclass(frozen=True)
class Instruction:
    """One instruction, as it is written: continued lines joined, variables not put in."""

    keyword: str
    """In capitals."""
    arguments: str
    """What follows the keyword and its flags."""
    flags: tuple[tuple[str, str], ...]
    """Name and value of each `--name=value`, in order."""
    line: int
    """The line that it begins on, counted from 1."""
    stage: int
    """The number of its stage, counted from 0; -1 before the first FROM."""
    documents: tuple[str, ...] = ()
    """The texts of its here-documents."""

    @property
    def words(self) -> tuple[str, ...] | None:
        """The words of the exec form; None: it is in shell form."""
        return _exec_form(self.arguments)

    def flag(self, name: str) -> str | None:
        """Give the value of the first flag of that name; None if it has none."""
        return next((value for each, value in self.flags if each == name), None)


@dataclass(frozen=True)
class Stage:
    """One `FROM` line: the stage's name (empty if it has none) and what it starts from, arguments put in."""

    name: str
    image: str
    line: int = 0


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile, read."""

    path: str
    """As it was given, for people."""
    instructions: tuple[Instruction, ...]
    stages: tuple[Stage, ...]
    directives: Mapping[str, str]
    """Parser directives: `syntax`, `escape`, `check`."""
    variables: Mapping[str, str]
    """The global arguments, as they were given to the build or by default."""
    ignored: tuple[str, ...] | None = None
    """The patterns of the ignore file, without comments; None: there is no such file."""

    def chain(self, target: str = "") -> tuple[int, ...]:
        """Number the stages that make up an image, from the one on a foreign image to the target (default: the last).

        A target that is no stage gives an empty chain.
        """
        numbers = {stage.name: number for number, stage in enumerate(self.stages) if stage.name}
        here = numbers.get(target.lower(), -1) if target else len(self.stages) - 1
        chain: list[int] = []
        while 0 <= here < len(self.stages) and here not in chain:
            chain.insert(0, here)
            here = self._stage_before(self.stages[here].image, here)
        return tuple(chain)

    def _stage_before(self, image: str, before: int) -> int:
        names = [stage.name for stage in self.stages[:before]]
        if image.lower() in names:
            return len(names) - 1 - names[::-1].index(image.lower())
        return -1

    def base(self, target: str = "") -> str:
        """Name the foreign image that a target stands on; empty if there is no such target."""
        chain = self.chain(target)
        return self.stages[chain[0]].image if chain else ""

    def steps(self, target: str = "") -> tuple[Instruction, ...]:
        """Give what is done on top of that image, in order: the instructions of the chain without their FROM lines."""
        chain = self.chain(target)
        return tuple(
            each for number in chain for each in self.instructions if each.stage == number and each.keyword != "FROM"
        )


def read(path: Path, args: Mapping[str, str] | None = None, context: Path | None = None) -> Dockerfile:
    """Read a Dockerfile and the ignore file that BuildKit takes: `<name>.dockerignore` beside it, or the context's own.

    `args` are the build's arguments; `context` is the build's folder (default: the Dockerfile's). Raises OSError.
    """
    beside = path.with_name(f"{path.name}.dockerignore")
    ignore = beside if beside.is_file() else (context or path.parent) / ".dockerignore"
    ignored = ignore.read_text(encoding="utf-8", errors="replace") if ignore.is_file() else None
    return parse(path.read_text(encoding="utf-8", errors="replace"), args, path=str(path), ignored=ignored)


def parse(
    text: str, args: Mapping[str, str] | None = None, *, path: str = "Dockerfile", ignored: str | None = None
) -> Dockerfile:
    """Read the text of a Dockerfile; `ignored` is the text of its ignore file. What cannot be understood is kept."""
    lines = _lines(text)
    directives = _directives(lines)
    escape = "`" if directives.get("escape") == "`" else "\\"
    instructions: list[Instruction] = []
    found: list[Stage] = []
    values: dict[str, str] = {}
    for each in _instructions(lines, escape):
        if each.keyword == "FROM":
            found.append(_stage(each, values))
        elif each.keyword == "ARG" and not found:
            values |= _assigned(each.arguments, values, args or {})
        instructions.append(replace(each, stage=len(found) - 1))
    patterns = None if ignored is None else tuple(_patterns(ignored))
    return Dockerfile(path, tuple(instructions), tuple(found), directives, values, patterns)


def stages(text: str, args: Mapping[str, str] | None = None) -> tuple[Stage, ...]:
    """Read the stages of a Dockerfile in order; `args` override the defaults of its global `ARG` lines."""
    return parse(text, args).stages


def bases(text: str, args: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Name the images that a Dockerfile starts from, each once, in order; stages of its own and `scratch` are none."""
    own: set[str] = {"scratch"}
    images: list[str] = []
    for stage in stages(text, args):
        if stage.image.lower() not in own and stage.image not in images:
            images.append(stage.image)
        own.add(stage.name)
    return tuple(images)


def expand(text: str, values: Mapping[str, str]) -> str:
    """Put variables in, with `${name:-word}` and its kin; one that is not known stays as it is written."""

    def value(match: re.Match[str]) -> str:
        name, how, word = match["plain"] or match["name"], match["how"] or "", match["word"] or ""
        if name is None:
            return "$"
        is_set = bool(values.get(name)) if how.startswith(":") else name in values
        if how.endswith("-"):
            return values[name] if is_set else expand(word, values)
        if how.endswith("+"):
            return expand(word, values) if is_set else ""
        return values.get(name, match[0])

    return _VARIABLE.sub(value, text)


def _lines(text: str) -> list[str]:
    """Cut a text as BuildKit does: at line feeds only, not at form feeds and the like."""
    return [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]


def _directives(lines: list[str]) -> dict[str, str]:
    """Read the parser directives: comments of the form `# name=value` before anything else."""
    found: dict[str, str] = {}
    for line in lines:
        match = _DIRECTIVE.match(line)
        if match is None or match["name"].lower() in found:
            break
        found[match["name"].lower()] = match["value"]
    return found


def _instructions(lines: list[str], escape: str) -> Iterator[Instruction]:
    continued = re.compile(rf"{re.escape(escape)}[ \t]*$")
    number = 0
    while number < len(lines):
        begin, more = number + 1, True
        parts: list[str] = []
        while more and number < len(lines):
            line = lines[number]
            number += 1
            if line.lstrip().startswith("#") or (parts and not line.strip()):
                more = bool(parts)  # a comment or an empty line inside a continued instruction is left out
                continue
            more = continued.search(line) is not None
            parts.append(continued.sub("", line))
        keyword, rest = (*"".join(parts).split(None, 1), "", "")[:2]
        if not keyword:
            continue
        flags, arguments = _flags(rest.strip())
        documents: list[str] = []
        if keyword.upper() in _HERE_DOCUMENTS and _exec_form(arguments) is None:
            for match in _HERE.finditer(arguments):
                document, number = _document(lines, number, match["word"], strip=bool(match["strip"]))
                documents.append(document)
        yield Instruction(keyword.upper(), arguments, flags, begin, -1, tuple(documents))


def _document(lines: list[str], number: int, word: str, *, strip: bool) -> tuple[str, int]:
    text: list[str] = []
    while number < len(lines):
        line = lines[number].lstrip("\t") if strip else lines[number]
        number += 1
        if line == word:
            break
        text.append(line)
    return "\n".join(text), number


def _flags(rest: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags: list[tuple[str, str]] = []
    while match := _FLAG.match(rest + " "):
        flags.append((match["name"], match["value"] or ""))
        rest = rest[match.end() :]
    return tuple(flags), rest


def _exec_form(arguments: str) -> tuple[str, ...] | None:
    if not arguments.startswith("["):
        return None
    try:
        words = json.loads(arguments)
    except ValueError:
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return None
    return tuple(words)


def _stage(each: Instruction, values: Mapping[str, str]) -> Stage:
    match = _FROM.match(each.arguments)
    image, name = (match["image"], match["name"] or "") if match else (each.arguments, "")
    return Stage(name=name.lower(), image=expand(image.strip("\"'"), values), line=each.line)


def _assigned(arguments: str, values: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Read the names of an ARG line with their values; one without a default that is not given stays unknown."""
    found: dict[str, str] = {}
    for match in _ASSIGNED.finditer(arguments):
        name, default = match["name"], match["value"]
        if name in given:
            found[name] = given[name]
        elif default is not None:
            found[name] = expand(default.strip("\"'"), {**values, **found})
    return found


def _patterns(text: str) -> Iterator[str]:
    for line in _lines(text):
        pattern = line.strip()
        if pattern and not line.startswith("#"):
            yield pattern
