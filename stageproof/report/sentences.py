"""A finding in words: the sentence first, the evidence under it, what to do last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from stageproof.model import Evidence, Finding, Verdict
from stageproof.report.escape import plain

SHOWN = 6
"""Pieces of evidence that are shown; the rest is counted."""
_INSTRUCTION = 120
_MARKS = {Verdict.PASS: "✔", Verdict.FAIL: "✘", Verdict.UNKNOWN: "?", Verdict.NOT_APPLICABLE: "-"}
_WIDTH = 68


def failure(name: str, finding: Finding) -> str:
    """Tell a finding about an image: `✘ go-distroless contains a shell   no-shell`, and the evidence."""
    head = headline(f"{_MARKS[finding.verdict]} {plain(name)}: {plain(finding.message)}", finding.claim)
    return "\n".join([head, *seen_and_do(finding)])


def headline(sentence: str, claim: str) -> str:
    """Set a sentence with the claim's id on its right."""
    return f"{sentence:<{_WIDTH}}    {claim}"


def seen_and_do(finding: Finding) -> Iterator[str]:
    """Give the evidence and what to do, a line each."""
    for number, line in enumerate(lines(finding.evidence)):
        yield f"  {'seen' if number == 0 else '':<7}{line}"
    do = finding.do or f"stageproof explain {finding.claim} tells why, and how to fix it"
    yield f"  do     {plain(do)}"


def lines(evidence: Sequence[Evidence], shown: int = SHOWN) -> Iterator[str]:
    """Write pieces of evidence for people, a line each, harmless; a layer stands below all that it brought in a row."""
    for brought, group in groupby(evidence[:shown], layer):
        yield from map(sentence, group)
        if brought:
            yield f"  {brought}"
    if len(evidence) > shown:
        yield f"... and {len(evidence) - shown:,} more"


def sentence(evidence: Evidence) -> str:
    """Write what was seen, where, and how large it is."""
    where = f"{plain(evidence.path)}   " if evidence.path and evidence.path not in evidence.text else ""
    size = f", {evidence.size:,} bytes" if evidence.size is not None else ""
    line = f"   Dockerfile line {evidence.line}" if evidence.line is not None and evidence.layer is None else ""
    return f"{where}{plain(evidence.text)}{size}{line}"


def layer(evidence: Evidence) -> str:
    """Write which layer brought it, by which instruction, and whose that is; empty where that is not known."""
    if evidence.layer is None:
        return ""
    brought = plain(evidence.created_by, _INSTRUCTION)
    line = f"   Dockerfile line {evidence.line}" if evidence.line is not None else ""
    origin = f"   ({plain(evidence.origin)})" if evidence.origin else ""
    return f"layer {evidence.layer}: {brought}".rstrip(": ") + f"{line}{origin}"
