"""Findings that somebody has looked at and accepts for a while: each with a reason and an end date.

An entry that does nothing any more, or whose date has passed, is a finding itself: otherwise lists only grow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from stageproof.errors import CatalogError
from stageproof.model import Evidence, Finding, Verdict

UNUSED, EXPIRED = "ignore-unused", "ignore-expired"
_REQUIRED, _OPTIONAL = ("claim", "reason", "until"), ("image", "path")
_IGNORABLE = frozenset({Verdict.FAIL, Verdict.UNKNOWN})


@dataclass(frozen=True)
class Ignore:
    """One entry: which claim, of which images, for which paths, why, and until when (that day included)."""

    claim: str
    reason: str
    until: date
    image: str = "*"
    """A pattern (`*`, `?`, `[...]`) for the name of the image as it was asked for."""
    path: str = ""
    """A pattern for the paths of the evidence; empty: whatever was seen."""

    def title(self) -> str:
        """Write the entry for people."""
        where = f" in {self.path}" if self.path else ""
        which = f" of {self.image}" if self.image != "*" else ""
        return f"ignore {self.claim}{which}{where} until {self.until}: {self.reason}"

    def is_about(self, claim: str, source: str) -> bool:
        """Whether it speaks of this claim of this image."""
        return claim == self.claim and fnmatchcase(source, self.image)

    def covers(self, evidence: Evidence) -> bool:
        """Whether it accepts this piece of evidence."""
        return not self.path or (bool(evidence.path) and fnmatchcase(evidence.path, self.path))


def read(entries: object, where: str, known: Iterable[str]) -> tuple[Ignore, ...]:
    """Read the `[[ignore]]` tables of a settings file. Raises CatalogError for one that is not whole."""
    if not isinstance(entries, list):
        raise _bad(where, f"ignore is no list of tables: {entries!r}")
    claims = frozenset(known)
    return tuple(_entry(entry, where, claims) for entry in entries)


def _entry(entry: object, where: str, claims: frozenset[str]) -> Ignore:
    if not isinstance(entry, Mapping):
        raise _bad(where, f"an entry of ignore is no table: {entry!r}")
    missing = [name for name in _REQUIRED if not entry.get(name)]
    surplus = sorted(set(entry) - {*_REQUIRED, *_OPTIONAL})
    if missing or surplus:
        told = [*(f"{name} is missing" for name in missing), *(f"{name} is not known" for name in surplus)]
        raise _bad(where, f"{dict(entry)}: {', '.join(told)}")
    until = entry["until"]
    if type(until) is not date:  # a date with a time is another type of TOML, and would compare with nothing
        raise _bad(where, f"until is no date such as 2027-01-31: {until!r}")
    if entry["claim"] not in claims:
        raise _bad(where, f"there is no claim {entry['claim']!r}")
    texts = {name: entry[name] for name in ("claim", "reason", *_OPTIONAL) if name in entry}
    if not all(isinstance(text, str) for text in texts.values()):
        raise _bad(where, f"{dict(entry)}: claim, reason, image and path are texts")
    return Ignore(until=until, **texts)


def _bad(where: str, seen: str) -> CatalogError:
    failed = f"{where} cannot be used"
    why = "what is ignored without a reason and an end is ignored for ever"
    do = 'write [[ignore]] with claim = "...", reason = "...", until = 2027-01-31; image and path may be patterns'
    return CatalogError(failed, seen=seen, why=why, do=do)


def covering(
    ignores: Sequence[Ignore], finding: Finding, source: str, today: date
) -> tuple[Ignore | None, list[Ignore]]:
    """Give the entry by which a finding is accepted whole, if there is one, and every entry that is of use to it."""
    if finding.verdict not in _IGNORABLE:
        return None, []
    apply = [each for each in ignores if each.is_about(finding.claim, source) and today <= each.until]
    useful = [each for each in apply if not each.path or any(each.covers(seen) for seen in finding.evidence)]
    whole = [each for each in useful if not each.path]
    if whole:
        return whole[0], useful
    told = finding.evidence
    accepted = bool(told) and all(any(each.covers(seen) for each in useful) for seen in told)
    return (useful[0] if accepted else None), useful


def unused(ignore: Ignore) -> Finding:
    """Say that an entry is of no use any more."""
    return Finding(
        UNUSED,
        Verdict.FAIL,
        "has an ignore entry that ignores nothing",
        (Evidence(ignore.title()),),
        "delete the entry",
    )


def expired(ignore: Ignore, today: date) -> Finding:
    """Say that the time of an entry is over."""
    days = (today - ignore.until).days
    told = Evidence(f"{ignore.title()}   over since {days} day{'' if days == 1 else 's'}")
    do = "mend what it ignores and delete it, or look again and give it a new date"
    return Finding(EXPIRED, Verdict.FAIL, "has an ignore entry whose time is over", (told,), do)
