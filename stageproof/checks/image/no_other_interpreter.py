"""`no-other-interpreter`: the image contains no interpreter but the one that runs the app."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from stageproof.checks.subject import Says, Subject, absent, evidence_of
from stageproof.image import Image, identity, launch, programs
from stageproof.model import Evidence, Finding

CLAIM = "contains no interpreter but the one that runs its app"
BROKEN = "contains interpreters that do not run its app"
WHY = "an interpreter does for an intruder whatever a shell would do"
DO = "run the final stage on a base that brings only what the app needs (distroless, scratch)"

# Awk counts: it opens files and, in gawk, sockets, and starts programs.
_NAMES = re.compile(
    r"perl\d*([\d.]+)?(-\w+)*|python\d*(\.\d+)?t?|pypy\d*(\.\d+)?|ruby[\d.]*|j?irb|node(js)?|deno|bun|lua(jit)?[\d.]*"
    r"|php[\d.]*(-cgi|-fpm)?|tclsh[\d.]*|wish[\d.]*|[gmn]?awk|original-awk|guile[\d.]*|java|mono|dotnet|Rscript|R|erl|elixir"
)


def check(subject: Subject, allowed: Sequence[str] = ()) -> Finding:
    """Decide the claim by names of ELF programs: those that ENTRYPOINT and HEALTHCHECK use are the app's.

    `allowed` are patterns of paths. Busybox is a shell, and the matter of `no-shell`.
    """
    return absent("no-other-interpreter", Says(CLAIM, BROKEN, DO), subject, _others(subject, allowed))


def _others(subject: Subject, allowed: Sequence[str]) -> Iterator[Evidence]:
    used = _used(subject.image)
    for entry in subject.entries:
        meant = entry.sha256 in used or any(fnmatchcase(entry.path, form) for form in allowed)
        is_program = entry.facts.elf is not None and entry.mode & 0o111 and entry.facts.program != programs.BUSYBOX
        if is_program and _NAMES.fullmatch(entry.name) and not meant:
            yield evidence_of(subject, entry, f"an interpreter called {entry.name}")


def _used(image: Image) -> set[str]:
    who = identity.identity(image) or identity.Identity(0, frozenset({0}), "/")
    check = image.config.healthcheck.test if image.config.healthcheck else ()
    commands = [image.config.command, check[1:] if check[:1] == ("CMD",) else ()]
    return {entry.sha256 for command in commands for entry in launch.launch(image, command, who).files}
