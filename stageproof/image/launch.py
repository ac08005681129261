"""Whether the kernel would start a command from the image alone, and if not, at which step it would stop."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from stageproof.image import arguments, libraries
from stageproof.image.arguments import Script
from stageproof.image.elf import MACHINES, Elf
from stageproof.image.identity import EXECUTE, READ, Identity
from stageproof.image.programs import SHELLS
from stageproof.image.tree import Entry, Image

# What runc searches where the image sets no PATH.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MOST_INTERPRETERS = 4
"""How many `#!` lines the kernel follows (BINPRM limit, fs/exec.c)."""

# Builtins of a POSIX shell, and words of its grammar: they are no files.
_SHELL_WORDS = frozenset(
    {".", ":", "[", "alias", "break", "case", "cd", "command", "continue", "echo", "eval", "exit", "export", "false"}
    | {"for", "getopts", "if", "kill", "printf", "pwd", "read", "return", "set", "shift", "test", "times", "trap"}
    | {"true", "ulimit", "umask", "unset", "until", "wait", "while", "{", "("}
)
_PLAIN_WORD = re.compile(r"[\w./+-]+")


@dataclass(frozen=True)
class Launch:
    """How a start goes: the files touched, in order, and what stops it."""

    files: tuple[Entry, ...]
    problem: str = ""


def launch(image: Image, command: Sequence[str], who: Identity) -> Launch:
    """Follow the start of a command as a user, in the image's WORKDIR and with its PATH."""
    if not command:
        return Launch((), "no command is declared")
    attempt = _Attempt(image, who)
    problem = attempt.start(tuple(command))
    return Launch(tuple(attempt.files), problem)


def program(image: Image) -> Entry | None:
    """Give the file that ENTRYPOINT and CMD begin with, whatever its mode; None if it is not there."""
    if not image.config.command:
        return None
    first = image.config.command[0]
    places = [""] if "/" in first else _path(image)
    found = (image.resolve(posixpath.join(place, first), image.config.workdir) for place in places)
    return next((entry for entry in found if entry and entry.is_file), None)


def executed(image: Image) -> Entry | None:
    """Give the file that the kernel loads in the end: that program, or the interpreter of a script; None: not there."""
    entry = program(image)
    for _ in range(_MOST_INTERPRETERS):
        if entry is None or not entry.facts.interpreter:
            break
        entry = image.resolve(entry.facts.interpreter.split(None, 1)[0], image.config.workdir)
    return entry


@dataclass
class _Attempt:
    """One start, step by step: each step says what stops it, or nothing."""

    image: Image
    who: Identity
    files: list[Entry] = field(default_factory=list)
    depth: int = 0

    def start(self, command: tuple[str, ...]) -> str:
        self.depth += 1
        if self.depth > _MOST_INTERPRETERS + 1:
            return f"more than {_MOST_INTERPRETERS} interpreters call each other"
        entry, problem = self.find(command[0])
        if entry is None:
            return problem
        self.files.append(entry)
        if entry.facts.elf is not None:
            return self.load(entry, entry.facts.elf) or self.go_on(entry, command)
        if entry.facts.interpreter:
            return self.interpret(entry, entry.facts.interpreter, command)
        return f"{entry.path} is no program: neither ELF nor #!, so the kernel answers `exec format error`"

    def interpret(self, entry: Entry, interpreter: str, command: tuple[str, ...]) -> str:
        if not self.who.may(entry, READ):
            return f"{entry.path} is a script that the user may not read"
        problem = self.start((*interpreter.split(None, 1), entry.path, *command[1:]))
        return f"{entry.path} begins with #!{interpreter}: {problem}" if problem else ""

    def find(self, name: str) -> tuple[Entry | None, str]:
        places = [""] if "/" in name else _path(self.image)
        problem = f"{name} is in no folder of PATH ({':'.join(places)})"
        for place in places:
            trail = self.image.trail(posixpath.join(place, name), self.image.config.workdir)
            trouble = _about(name, trail.problem) or self.closed(trail.folders) or self.not_executable(trail.entry)
            if trail.entry and not trouble:
                return trail.entry, ""
            if "/" in name or trail.entry:
                problem = trouble
        return None, problem

    def closed(self, folders: Sequence[Entry]) -> str:
        for folder in folders:
            if not self.who.may(folder, EXECUTE):
                return f"{folder.path} may not be entered by uid {self.who.uid} ({_mode(folder)})"
        return ""

    def not_executable(self, entry: Entry | None) -> str:
        if entry is None or (self.who.may(entry, EXECUTE) and entry.is_file):
            return ""
        if not entry.is_file:
            return f"{entry.path} is a {entry.kind}, not a file"
        return f"{entry.path} may not be executed by uid {self.who.uid} ({_mode(entry)})"

    def load(self, entry: Entry, header: Elf) -> str:
        architecture = self.image.platform.partition("/")[2]
        if header.machine != MACHINES.get(architecture, header.machine):
            return f"{entry.path} is for another CPU (ELF machine {header.machine}), and the image says {architecture}"
        if not header.interpreter:
            return ""
        loader, problem = self.find(header.interpreter)
        if loader is None:
            return f"{entry.path} needs a loader: {problem}"
        if loader.facts.elf is None or loader.facts.elf.machine != header.machine:
            return f"{entry.path} needs the loader {header.interpreter}, which is no loader for this CPU"
        self.files.append(loader)
        return "; ".join(libraries.problems(self.image, entry, self.who))

    def go_on(self, entry: Entry, command: tuple[str, ...]) -> str:
        """Follow the arguments where they name the next program or script: env, a shell's -c, an interpreter."""
        if posixpath.basename(command[0]) == "env":
            words = [word for word in " ".join(command[1:]).split() if not word.startswith("-") and "=" not in word]
            return self.start(tuple(words)) if words else ""
        if entry.facts.program in SHELLS and "-c" in command[1:3]:
            first = _first_word(command[command.index("-c") + 1 :])
            return self.start((first,)) if first else ""
        script = arguments.script(posixpath.basename(command[0]), command[1:])
        return self.read(entry, script) if script else ""

    def read(self, entry: Entry, script: Script) -> str:
        workdir = self.image.config.workdir
        found = self.image.trail(script.path, workdir)
        if found.entry is None and any(self.image.resolve(script.path + end, workdir) for end in script.endings):
            return ""
        if found.entry is None:
            return f"{entry.path} is told to run {script.path}: {found.problem}"
        self.files.append(found.entry)
        if not self.who.may(found.entry, READ):
            return f"{found.entry.path} may not be read by uid {self.who.uid} ({_mode(found.entry)})"
        return self.closed(found.folders)


def _about(name: str, problem: str) -> str:
    return f"{name}: {problem}" if problem and not problem.startswith(name) else problem


def _mode(entry: Entry) -> str:
    return f"mode {entry.mode:04o}, owner {entry.uid}:{entry.gid}"


def _path(image: Image) -> list[str]:
    return [folder for folder in image.config.env.get("PATH", DEFAULT_PATH).split(":") if folder]


def _first_word(words: Sequence[str]) -> str:
    try:
        parts = shlex.split(words[0]) if words else []
    except ValueError:
        return ""
    if parts[:1] == ["exec"]:
        parts = parts[1:]
    first = parts[0] if parts else ""
    return first if _PLAIN_WORD.fullmatch(first) and first not in _SHELL_WORDS else ""
