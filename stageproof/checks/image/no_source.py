"""`no-source`: the image of a compiled language holds no source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stageproof.checks.subject import Says, Subject, absent, evidence_of, not_applicable
from stageproof.model import Evidence, Finding

CLAIM = "contains no source of a compiled language"
BROKEN = "contains source"
WHY = "it is not needed to run, and tells an intruder where to look"
DO = "copy only the compiled result into the final stage"
SUFFIXES = (".go", ".java", ".kt", ".scala", ".rs", ".c", ".cc", ".cpp", ".cs", ".swift")


def check(subject: Subject, suffixes: Sequence[str] = ()) -> Finding:
    """Decide the claim by `suffixes`, or those of the stack; for a foreign image by common ones."""
    stack = subject.stack
    if stack is not None and not stack.compiled:
        return not_applicable("no-source", f"is not compiled: its source is what runs ({stack.language})")
    wanted = tuple(suffixes) or (stack.source_suffixes if stack else SUFFIXES)
    return absent("no-source", Says(CLAIM, BROKEN, DO), subject, _sources(subject, wanted))


def _sources(subject: Subject, suffixes: tuple[str, ...]) -> Iterator[Evidence]:
    for entry in subject.entries:
        if not entry.is_file:
            continue
        if entry.path.endswith(suffixes):
            yield evidence_of(subject, entry, "source")
        inside = [name for name in entry.facts.members if name.endswith(suffixes)]
        if inside:
            yield evidence_of(subject, entry, f"holds {len(inside)} sources, such as {inside[0]}")
