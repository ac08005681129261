"""`no-risky-instructions`: no instruction fetches or installs what nobody can know beforehand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stageproof.checks import origin
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.dockerfile import Instruction
from stageproof.model import Evidence, Finding

CLAIM = "is built without instructions whose result nobody can know beforehand"
BROKEN = "is built with instructions whose result nobody can know beforehand"
WHY = "what they bring is not verified, stale from a cache, or another thing at the next build"
DO = "COPY, ADD --checksum for a URL, and `update` and `install` of a package manager in one RUN line"

SUDO = "sudo: a build is root already, and in the image it is a way to root"
UPGRADE = "upgrades the whole system: use a newer base"
PIPE = "pipes a download into a shell: nothing verifies it"
UPDATE = "updates the package index alone: the cache keeps that answer for every later install"

_COMMANDS = re.compile(r"&&|\|\||[;&\n(){}`]")
_BEFORE = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "exec", "time", "env", "command"})
_APT, _DNF = frozenset({"apt", "apt-get"}), frozenset({"dnf", "yum", "microdnf"})
_SHELLS, _DOWNLOADERS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"}), frozenset({"curl", "wget"})
_APT_INSTALLS = frozenset({"install", "upgrade", "dist-upgrade", "full-upgrade", "build-dep", "source", "download"})
_RUNS_TEXT = re.compile(r"-\w*c")
_ARCHIVE = re.compile(r"\.(?:tar|tgz|tbz2?|txz|tar\.\w+)$", re.IGNORECASE)
_URL = re.compile(r"^(?:https?|ftp)://|^git@|\.git(?:#|$)", re.IGNORECASE)
_ADDED = re.compile(r"^(?:/bin/sh -c #\(nop\)\s+)?ADD\s")
_RUN = re.compile(r"^(?:RUN\s+)?(?:\|\d+ .*?)?/bin/(?:ba)?sh -\w*c\s(?!\s*#\(nop\))")


def check(subject: Subject) -> Finding:
    """Decide the claim by the Dockerfile, all stages; without it by the image's history, which tells less.

    ADD of a URL without --checksum, ADD of an archive, sudo, an upgrade of the system, a download piped into a shell,
    and an `update` of a package index without an `install` in the same RUN.
    """
    if subject.dockerfile is not None:
        seen = [evidence for each in subject.dockerfile.instructions for evidence in _in_instruction(each)]
        how = f"by {len(subject.dockerfile.instructions)} instructions of the Dockerfile"
    else:
        history = subject.image.config.history
        if not any(step.created_by for step in history):
            told = Evidence("the Dockerfile is not known, and the image has no history")
            message = f"could not be shown that it {CLAIM}"
            return unknown("no-risky-instructions", message, [told], "give the Dockerfile")
        seen = list(_in_history(subject))
        how = f"by {len(history)} lines of the history: the Dockerfile is not known"
    if seen:
        return failed("no-risky-instructions", BROKEN, seen, DO)
    return passed("no-risky-instructions", f"{CLAIM}, {how}")


def _in_instruction(each: Instruction) -> Iterator[Evidence]:
    if each.keyword == "RUN":
        command = "\n".join((" ".join(each.words) if each.words else each.arguments, *each.documents))
        yield from (Evidence(text, line=each.line) for text in _risks(command))
    if each.keyword == "ADD" and not each.documents:
        sources = (each.words or tuple(each.arguments.split()))[:-1]
        is_checked = each.flag("checksum") is not None
        yield from (Evidence(text, line=each.line) for text in _added(sources, is_checked=is_checked))


def _in_history(subject: Subject) -> Iterator[Evidence]:
    steps = subject.image.config.history
    layers = 0
    for step in steps:
        layers += not step.empty_layer
        whose = subject.origins.of(layers)
        if whose and whose != origin.APP:
            continue
        if match := _ADDED.match(step.created_by):
            words = step.created_by[match.end() :].split()
            urls = tuple(word for word in words if _URL.search(word))
            texts = _added(urls, is_checked=any(word.startswith("--checksum=") for word in words))
        else:
            match = _RUN.match(step.created_by)
            texts = _risks(step.created_by[match.end() :]) if match else iter(())
        for text in texts:
            yield Evidence(text, layer=layers or None, created_by=step.created_by, origin=whose)


def _risks(command: str) -> Iterator[str]:
    """Say what is risky in a shell command, by its words; quotes do not hide them."""
    pipelines = [[_words(part) for part in pipeline.split("|")] for pipeline in _COMMANDS.split(command)]
    commands = [words for pipeline in pipelines for words in pipeline if words]
    if any(words[0] == "sudo" for words in commands):
        yield SUDO
    done = [_without_sudo(words) for words in commands]
    if any(_upgrades(name, rest) for name, rest in done):
        yield UPGRADE
    if any(_is_piped([_without_sudo(words)[0] for words in pipeline if words]) for pipeline in pipelines):
        yield PIPE
    updates = any((name in _APT or name == "apk") and "update" in rest for name, rest in done)
    if updates and not any(_installs(name, rest) for name, rest in done):
        yield UPDATE


def _words(command: str) -> list[str]:
    words = [word.strip("\"'") for word in command.split()]
    begin = 0
    while begin < len(words):
        if words[begin].rpartition("/")[2] in _SHELLS and _RUNS_TEXT.fullmatch(" ".join(words[begin + 1 : begin + 2])):
            begin += 2
        elif words[begin] in _BEFORE or "=" in words[begin]:
            begin += 1
        else:
            break
    return words[begin:]


def _without_sudo(words: list[str]) -> tuple[str, list[str]]:
    """Give the name of the program, and what follows."""
    rest = [word for word in words if not word.startswith("-")] if words[0] == "sudo" else words
    rest = rest[1:] if rest[0] == "sudo" and len(rest) > 1 else rest
    return rest[0].rpartition("/")[2], rest[1:]


def _upgrades(name: str, rest: list[str]) -> bool:
    if name in _APT:
        return not {"upgrade", "dist-upgrade", "full-upgrade"}.isdisjoint(rest)
    plain = [word for word in rest if not word.startswith("-")]
    return (name == "apk" and plain[:1] == ["upgrade"]) or (name in _DNF and plain in (["update"], ["upgrade"]))


def _installs(name: str, rest: list[str]) -> bool:
    return (name in _APT and not _APT_INSTALLS.isdisjoint(rest)) or (name == "apk" and "add" in rest)


def _is_piped(names: list[str]) -> bool:
    first = next((number for number, name in enumerate(names) if name in _DOWNLOADERS), len(names))
    return any(name in _SHELLS for name in names[first + 1 :])


def _added(sources: tuple[str, ...], *, is_checked: bool) -> Iterator[str]:
    for source in sources:
        if _URL.search(source):
            if not is_checked:
                yield f"ADD {source}: fetched without a checksum"
        elif _ARCHIVE.search(source):
            yield f"ADD {source}: an archive that is unpacked as it is, links and modes included"
