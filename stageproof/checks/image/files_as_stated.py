"""`files-as-stated`: named files are there or not, and are as the contract states them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stageproof.checks import stated
from stageproof.checks.stated import Row
from stageproof.checks.subject import Says, Subject, absent, failed, not_applicable, passed, unknown
from stageproof.image import Entry, Image, identity
from stageproof.model import Evidence, Finding

ID = stated.FILES
CLAIM = "holds the files that its contract states, as they are stated"
BROKEN = "holds files that are not as its contract states them"
WHY = "what an image must hold, or must not, is checked where it is built and not where it runs"
DO = "mend the Dockerfile, or the row of the contract"

KEYS = (
    *("path", "exists", "kind", "mode", "uid", "gid", "owner", "group", "size", "sha256", "link", "executable"),
    *("contains", "lacks", "matches"),
)
_EXECUTABLE = {"owner": 0o100, "group": 0o010, "other": 0o001, "any": 0o111}


class _UndecidedError(Exception):
    """The index does not hold what the row asks about."""


def check(subject: Subject, files: Sequence[Row] = ()) -> Finding:
    """Decide the claim row by row, in the merged tree; links in folders are followed, one at the end is not."""
    rows = stated.rows(ID, files, KEYS, "path")
    if not rows:
        return not_applicable(ID, stated.NOTHING)
    wrong: list[Evidence] = []
    undecided: list[Evidence] = []
    for row in rows:
        path = str(row["path"])
        try:
            wrong += [Evidence(text, path) for text in _row(subject.image, row, path)]
        except _UndecidedError as reason:
            undecided.append(Evidence(str(reason), path))
    if wrong:
        return failed(ID, BROKEN, wrong, DO)
    if undecided:
        return unknown(ID, f"could not be shown that it {CLAIM}", undecided, "state the sha256 of the file instead")
    if any(row.get("exists") is False or row.get("lacks") for row in rows):
        return absent(ID, Says(CLAIM, BROKEN, DO), subject, ())
    return passed(ID, f"{CLAIM}: {len(rows)} of {len(rows)}")


def _row(image: Image, row: Row, path: str) -> Iterator[str]:
    trail = image.trail(path, follow=False)
    if row.get("exists", True) is False:
        if trail.entry is not None:
            yield f"is there, a {trail.entry.kind}; stated is that it is not"
        return
    if trail.entry is None:
        yield f"is not there: {trail.problem}"
        return
    yield from _metadata(image, row, trail.entry)
    yield from _content(image, row, path)


def _metadata(image: Image, row: Row, entry: Entry) -> Iterator[str]:
    seen: dict[str, object] = {
        "kind": entry.kind.value,
        "mode": f"{entry.mode:04o}",
        "uid": entry.uid,
        "gid": entry.gid,
        "size": entry.size,
        "link": entry.link,
    }
    for key, value in seen.items():
        wanted = str(row.get(key)).zfill(4) if key == "mode" else row.get(key)
        if key in row and wanted != value:
            yield f"its {key} is {value}, stated is {row[key]}"
    if "owner" in row:
        yield from _named(row["owner"], entry.uid, {one.name: one.uid for one in identity.accounts(image)}, "owner")
    if "group" in row:
        yield from _named(row["group"], entry.gid, identity.group_ids(image), "group")
    if "executable" in row:
        yield from _executable(image, row["executable"], entry)


def _executable(image: Image, whom: object, entry: Entry) -> Iterator[str]:
    """Judge the file that a link leads to: every link has all bits, and the kernel starts what is at its end."""
    bits = _bits(whom)
    trail = image.trail(entry.path)
    if trail.entry is None:
        yield f"is not executable by {whom}: it leads to {entry.link}, {trail.problem}"
    elif not trail.entry.mode & bits:
        yield f"is not executable by {whom}: its mode is {trail.entry.mode:04o}"


def _named(wanted: object, seen: int, known: dict[str, int], what: str) -> Iterator[str]:
    number = int(str(wanted)) if str(wanted).isdigit() else known.get(str(wanted))
    if number is None:
        yield f"its {what} is {seen}, and the image knows no {wanted!r}"
    elif number != seen:
        yield f"its {what} is {seen}, stated is {wanted} ({number})"


def _bits(whom: object) -> int:
    if whom not in _EXECUTABLE:
        raise stated.refused(ID, f"executable is {whom!r}; known: {', '.join(_EXECUTABLE)}")
    return _EXECUTABLE[str(whom)]


def _content(image: Image, row: Row, path: str) -> Iterator[str]:
    asked = [key for key in ("sha256", "contains", "lacks", "matches") if row.get(key)]
    if not asked:
        return
    trail = image.trail(path)
    entry = trail.entry
    if entry is None or not entry.is_file:
        yield f"has no content: {trail.problem or f'it is a {entry.kind if entry else None}'}"
        return
    if "sha256" in asked and entry.sha256 != row["sha256"]:
        yield f"its sha256 is {entry.sha256}, stated is {row['sha256']}"
    yield from _texts(image, row, entry)
    yield from _patterns(row, entry)


def _texts(image: Image, row: Row, entry: Entry) -> Iterator[str]:
    searched = {label for label, _ in image.needles.forms}
    found = image.found_in(entry)
    for key in ("contains", "lacks"):
        for text in stated.words(ID, row, key):
            if text not in searched:
                reason = f"nothing searched it for {text!r}"
                raise _UndecidedError(reason)
            if (text in found) is not (key == "contains"):
                yield f"{'lacks' if key == 'contains' else 'contains'} the text {text!r}"


def _patterns(row: Row, entry: Entry) -> Iterator[str]:
    for text in stated.words(ID, row, "matches"):
        wanted = stated.pattern(ID, text)
        if entry.facts.content is None and entry.size:
            reason = f"its content is not remembered, so nothing could be matched with {text!r}"
            raise _UndecidedError(reason)
        if not wanted.search((entry.facts.content or b"").decode("utf-8", "replace")):
            yield f"matches {text!r} nowhere"
