"""JSON, by `stageproof/report/schema.json`. The same inputs give the same bytes, but for the times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from stageproof.model import Evidence
from stageproof.report.escape import plain
from stageproof.verify import Judged, Verified

SCHEMA = 1


def render(images: Sequence[Verified]) -> str:
    """Write the document."""
    # Not the standard library's: its indenting encoder takes longer than all the rest of a run that finds nothing new.
    document = msgspec.json.encode({"schema": SCHEMA, "images": [_image(each) for each in images]})
    return msgspec.json.format(document, indent=2).decode() + "\n"


def _image(image: Verified) -> dict[str, Any]:
    return {
        "source": plain(image.source),
        "digest": plain(image.digest),
        "platform": plain(image.platform),
        "contract": plain(image.contract),
        "findings": [_finding(each) for each in image.judged],
        "not_run": list(image.not_run),
    }


def _finding(judged: Judged) -> dict[str, Any]:
    finding = judged.finding
    ignored = judged.ignored
    return {
        "claim": finding.claim,
        "verdict": finding.verdict.value,
        "standing": judged.standing.value,
        "message": plain(finding.message),
        "evidence": [_evidence(each) for each in finding.evidence],
        "do": plain(finding.do),
        "ignored": {"reason": plain(ignored.reason), "until": ignored.until.isoformat()} if ignored else None,
        "seconds": round(finding.seconds, 3),
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    written = {
        "text": plain(evidence.text),
        "path": plain(evidence.path),
        "bytes": evidence.size,
        "layer": evidence.layer,
        "created_by": plain(evidence.created_by),
        "origin": plain(evidence.origin),
        "line": evidence.line,
    }
    return {name: value for name, value in written.items() if name == "text" or value not in {"", None}}
