"""GitHub's workflow commands: a line that does not hold shows beside the change, and in the run's summary."""

from __future__ import annotations

from collections.abc import Sequence

from stageproof.report import sentences
from stageproof.report.escape import annotation, annotation_property
from stageproof.verify import Judged, Standing, Verified

_LEVELS = {
    Standing.BROKEN: "error",
    Standing.UNKNOWN: "error",
    Standing.REPORTED: "notice",
    Standing.IGNORED: "notice",
}
_LINE_END = "%0A"


def render(images: Sequence[Verified]) -> str:
    """Write a command for each claim that does not simply hold."""
    told = [_command(image, judged) for image in images for judged in image.judged if judged.standing in _LEVELS]
    return "".join(f"{line}\n" for line in told)


def _command(image: Verified, judged: Judged) -> str:
    finding = judged.finding
    title = annotation_property(f"{finding.claim} ({judged.standing})")
    line = next((each.line for each in finding.evidence if each.line is not None), None)
    place = f",file={annotation_property(image.dockerfile)},line={line}" if image.dockerfile and line else ""
    ignored = [f"ignored: {judged.ignored.reason}, until {judged.ignored.until}"] if judged.ignored else []
    words = [f"{image.source}: {finding.message}", *ignored, *sentences.seen_and_do(finding)]
    return f"::{_LEVELS[judged.standing]} title={title}{place}::{_LINE_END.join(annotation(word) for word in words)}"
