"""Markdown, for a comment on a change or a run's summary: the answer, what does not hold, the rest folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stageproof.report import sentences
from stageproof.report.counting import summary
from stageproof.report.escape import markdown
from stageproof.verify import Judged, Standing, Verified

_MARKS = {
    Standing.HOLDS: "✔",
    Standing.BROKEN: "✘",
    Standing.UNKNOWN: "?",
    Standing.NOT_APPLICABLE: "–",
    Standing.REPORTED: "r",
    Standing.IGNORED: "i",
}
_OPEN = frozenset({Standing.BROKEN, Standing.UNKNOWN})
_BREAK = "<br>"


def render(images: Sequence[Verified]) -> str:
    """Write the report."""
    return "\n".join(line for image in images for line in _image(image))


def _image(image: Verified) -> Iterator[str]:
    yield f"## {markdown(image.source)}\n"
    facts = (image.platform, image.digest, f"contract {image.contract}")
    yield f"For {', '.join(markdown(fact) for fact in facts)}.\n"
    yield f"{summary([image])}\n"
    yield from _table([judged for judged in image.judged if judged.standing in _OPEN])
    rest = [judged for judged in image.judged if judged.standing not in _OPEN]
    if rest:
        yield f"<details><summary>{len(rest)} more</summary>\n"
        yield from _table(rest)
        yield "</details>\n"


def _table(told: Sequence[Judged]) -> Iterator[str]:
    if not told:
        return
    yield "| | claim | | seen | do |"
    yield "| --- | --- | --- | --- | --- |"
    for judged in told:
        finding = judged.finding
        seen = _BREAK.join(markdown(line) for line in sentences.lines(finding.evidence, shown=3))
        message = markdown(finding.message)
        if judged.ignored:
            message += f"{_BREAK}ignored until {judged.ignored.until}: {markdown(judged.ignored.reason)}"
        mark = _MARKS[judged.standing]
        yield f"| {mark} | `{finding.claim}` | {message} | {seen} | {markdown(finding.do)} |"
    yield ""
