"""For people at a terminal or in a log: the answer first, the evidence under it, what to do last."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from stageproof.report import sentences
from stageproof.report.counting import exit_code, summary
from stageproof.report.escape import plain
from stageproof.report.tables import megabytes
from stageproof.verify import Judged, Standing, Verified

_MARKS = {
    Standing.HOLDS: "✔",
    Standing.BROKEN: "✘",
    Standing.UNKNOWN: "?",
    Standing.NOT_APPLICABLE: "–",
    Standing.REPORTED: "r",
    Standing.IGNORED: "i",
}
_DIGITS = 12
_WIDE = 100


def render(images: Sequence[Verified]) -> str:
    """Write the report without what holds."""
    return render_for_people(images)


def render_for_people(images: Sequence[Verified], *, everything: bool = False) -> str:
    """Write the report; with `everything`, what holds and what does not apply is listed too."""
    lines = [line for image in images for line in _image(image, everything=everything)]
    code = exit_code(images)
    seconds = sum(image.seconds for image in images)
    end = f"  {summary(images)} {seconds:.1f} s."
    return "\n".join([*lines, f"{end:<70}  exit {code}" if code else end]) + "\n"


def _image(image: Verified, *, everything: bool) -> Iterator[str]:
    digest = plain(image.digest).removeprefix("sha256:")[:_DIGITS]
    layers = f"{image.layers} layer{'' if image.layers == 1 else 's'}, {megabytes(image.disk)} MB"
    yield f"  {plain(image.source)}   {plain(image.platform)}   {digest}   {layers}   contract {plain(image.contract)}"
    if image.not_run:
        yield "  read only; --run starts it, hardened and without a network"
    yield ""
    for standing in (Standing.BROKEN, Standing.UNKNOWN):
        yield from _open([judged for judged in image.judged if judged.standing is standing])
    quiet = [Standing.IGNORED, Standing.REPORTED]
    quiet += [Standing.HOLDS, Standing.NOT_APPLICABLE] if everything else []
    brief = [
        line for standing in quiet for judged in image.judged if judged.standing is standing for line in _brief(judged)
    ]
    if brief:
        yield from (*brief, "")


def _open(told: Sequence[Judged]) -> Iterator[str]:
    """Tell what fails the contract; what several claims share is told once."""
    same: dict[tuple[str, ...], list[Judged]] = {}
    for judged in told:
        same.setdefault(_shared(judged), []).append(judged)
    for group in same.values():
        first = group[0]
        if len(group) == 1:
            yield from (_head(first), *sentences.seen_and_do(first.finding), "")
            continue
        broken = first.standing is Standing.BROKEN
        what = plain(first.finding.message) if broken else "could not be decided, all for one reason"
        yield f"{_MARKS[first.standing]} {len(group)} claims{':' if broken else ''} {what}"
        names = ", ".join(judged.finding.claim for judged in group)
        yield from textwrap.wrap(names, _WIDE, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
        yield from (*sentences.seen_and_do(first.finding), "")


def _shared(judged: Judged) -> tuple[str, ...]:
    """Give what two findings have in common if one cause is behind both."""
    finding = judged.finding
    seen = tuple(sentences.lines(finding.evidence))
    if judged.standing is Standing.BROKEN:
        return (finding.message, *seen)
    return (*seen, finding.do) if seen else (finding.claim,)


def _brief(judged: Judged) -> Iterator[str]:
    yield _head(judged)
    if judged.ignored:
        yield f"  ignored until {judged.ignored.until}: {plain(judged.ignored.reason)}"
    elif judged.standing is Standing.REPORTED and judged.finding.evidence:
        first, *more = judged.finding.evidence
        yield f"  seen   {sentences.sentence(first)}" + (f"   and {len(more):,} more" if more else "")


def _head(judged: Judged) -> str:
    words = {Standing.REPORTED: "reported: ", Standing.IGNORED: "ignored: "}.get(judged.standing, "")
    sentence = f"{_MARKS[judged.standing]} {words}{plain(judged.finding.message)}"
    return sentences.headline(sentence, judged.finding.claim)
