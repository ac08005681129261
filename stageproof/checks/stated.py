"""What the `...-as-stated` claims share: rows of known keys, and texts that are equal, match, or are absent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from stageproof.errors import CatalogError
from stageproof.model import Claim

FILES = "files-as-stated"
NOTHING = "has a contract that states nothing here"
"""What such a claim says without rows: it cannot fail, so it must not pass."""
_SEARCHED = ("contains", "lacks")
_HOW = ("matches", "absent")

Row = Mapping[str, object]


def texts(claim: Claim) -> list[str]:
    """Give the texts that every file has to be searched for, so that this claim can be decided."""
    rows = claim.parameters.get("files") if claim.id == FILES else None
    if not isinstance(rows, (list, tuple)):
        return []
    found = (row.get(key) for row in rows if isinstance(row, Mapping) for key in _SEARCHED)
    return [
        text for each in found if isinstance(each, (list, tuple)) for text in each if isinstance(text, str) and text
    ]


def rows(claim: str, given: object, known: Sequence[str], required: str) -> list[Row]:
    """Check the shape of rows. Raises CatalogError for a key that nothing looks at: it would prove nothing."""
    if not isinstance(given, (list, tuple)):
        raise refused(claim, f"no list of tables: {given!r}")
    for row in given:
        if not isinstance(row, Mapping) or not row.get(required):
            raise refused(claim, f"a row without {required}: {row!r}")
        surplus = sorted(set(row) - set(known))
        if surplus:
            raise refused(claim, f"not known: {', '.join(surplus)}; known: {', '.join(known)}")
    return list(given)


def words(claim: str, row: Row, key: str) -> list[str]:
    """Give the list of texts under a key; empty where there is none. Raises CatalogError if it is another thing."""
    given = row.get(key, [])
    if not isinstance(given, (list, tuple)) or not all(isinstance(each, str) and each for each in given):
        raise refused(claim, f"{key} is no list of texts: {given!r}")
    return list(given)


def pattern(claim: str, text: str) -> re.Pattern[str]:
    """Read a regular expression. Raises CatalogError if it is none."""
    try:
        return re.compile(text)
    except re.error as error:
        raise refused(claim, f"{text!r} is no regular expression: {error}") from error


def compare(claim: str, what: str, stated: object, seen: str | None) -> Iterable[str]:
    """Say how a text differs from what is stated: a text, `{ matches = "..." }`, or `{ absent = true }`."""
    if isinstance(stated, str):
        if seen != stated:
            yield f"{what} is {_shown(seen)}, stated is {stated!r}"
        return
    if not isinstance(stated, Mapping) or len(stated) != 1 or next(iter(stated)) not in _HOW:
        raise refused(
            claim, f'{what} is stated as {stated!r}; write "...", {{ matches = "..." }} or {{ absent = true }}'
        )
    if "absent" in stated:
        if (seen is None) is not bool(stated["absent"]):
            yield f"{what} is {_shown(seen)}, stated is that it is {'absent' if stated['absent'] else 'there'}"
        return
    wanted = str(stated["matches"])
    form = pattern(claim, wanted)
    if seen is None or not form.search(seen):
        yield f"{what} is {_shown(seen)}, which does not match {wanted!r}"


def _shown(seen: str | None) -> str:
    return "not set" if seen is None else repr(seen)


def refused(claim: str, seen: str) -> CatalogError:
    """Say that a contract's parameters cannot be used."""
    failed = f"the contract's parameters of {claim} cannot be used"
    return CatalogError(
        failed, seen=seen, why="a part that nothing looks at proves nothing", do=f"docs/checks/{claim}.md"
    )
