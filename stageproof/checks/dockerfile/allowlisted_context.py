"""`allowlisted-context`: a build sees only the files that are named for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from stageproof.checks.subject import Subject, failed, not_applicable, passed, unknown
from stageproof.dockerfile import Dockerfile, Instruction
from stageproof.model import Evidence, Finding

CLAIM = "lets its build see only the files that are named for it"
BROKEN = "lets its build see files that nobody named"
WHY = "with a deny-list every new file is in the build until somebody thinks of it: keys, .env, results of other builds"
DO = "`*` as first line of .dockerignore, then `!` with each path that the build needs"
_ALL = re.compile(r"/?(\*|\*\*|\*\*/\*|\.|\./|/)")


def check(subject: Subject) -> Finding:
    """Decide the claim by the ignore file: all is left out, and no later line lets all in again.

    Not applicable where nothing is taken from the build's folder.
    """
    dockerfile = subject.dockerfile
    if dockerfile is None:
        told = Evidence("the Dockerfile is not known, and an image does not tell what its build could see")
        return unknown("allowlisted-context", f"could not be shown that it {CLAIM}", [told], "give the Dockerfile")
    taking = list(_taking(dockerfile))
    if not taking:
        return not_applicable("allowlisted-context", "takes nothing from the folder of its build")
    lines = [Evidence(f"{each.keyword} {each.arguments}"[:160], line=each.line) for each in taking]
    if dockerfile.ignored is None:
        return failed("allowlisted-context", f"{BROKEN}: there is no ignore file", lines, DO)
    if fault := _fault(dockerfile.ignored):
        return failed("allowlisted-context", BROKEN, [Evidence(fault), *lines], DO)
    named = [pattern for pattern in dockerfile.ignored if pattern.startswith("!")]
    return passed("allowlisted-context", f"{CLAIM}: {len(named)} patterns")


def _fault(patterns: Sequence[str]) -> str:
    """Say why the patterns are no allow-list; the last one that matches a path decides."""
    closing = [number for number, pattern in enumerate(patterns) if _ALL.fullmatch(pattern)]
    if not closing:
        return "no line of the ignore file leaves everything out"
    opening = [pattern for pattern in patterns[closing[-1] :] if pattern.startswith("!")]
    wide = [pattern for pattern in opening if _ALL.fullmatch(pattern[1:].strip())]
    return f"the line {wide[0]} lets everything in again" if wide else ""


def _taking(dockerfile: Dockerfile) -> Iterator[Instruction]:
    for each in dockerfile.instructions:
        copies = each.keyword in {"COPY", "ADD"} and each.flag("from") is None and not each.documents
        if copies and not all("://" in word for word in (each.words or each.arguments.split())[:-1]):
            yield each
        mounts = [value for name, value in each.flags if name == "mount" and each.keyword == "RUN"]
        if any("type=bind" in mount and "from=" not in mount for mount in mounts):
            yield each
