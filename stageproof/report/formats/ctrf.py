"""The Common Test Report Format (CTRF), version 0.0.0: a claim of an image is a test."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from stageproof import __version__
from stageproof.report import sentences
from stageproof.report.escape import plain
from stageproof.verify import Judged, Standing, Verified

_STATUS = {
    Standing.HOLDS: "passed",
    Standing.BROKEN: "failed",
    Standing.UNKNOWN: "other",
    Standing.NOT_APPLICABLE: "skipped",
    Standing.REPORTED: "skipped",
    Standing.IGNORED: "skipped",
}
_PENDING = "pending"


def render(images: Sequence[Verified]) -> str:
    """Write the document; what is unknown is `other`, what needs --run is `pending`."""
    tests = [test for image in images for test in _tests(image)]
    counted = Counter(str(test["status"]) for test in tests)
    stop = round(time.time() * 1000)
    summary = {
        "tests": len(tests),
        **{status: counted[status] for status in ("passed", "failed", "skipped", _PENDING, "other")},
        "start": stop - _milliseconds(sum(image.seconds for image in images)),
        "stop": stop,
    }
    tool = {"name": "stageproof", "version": __version__}
    results = {"tool": tool, "summary": summary, "tests": tests}
    document = {"reportFormat": "CTRF", "specVersion": "0.0.0", "results": results}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _tests(image: Verified) -> list[dict[str, Any]]:
    suite = [plain(image.source)]
    waiting = [
        {"name": claim, "status": _PENDING, "duration": 0, "suite": suite, "message": "it needs --run"}
        for claim in image.not_run
    ]
    return [*(_test(judged, suite) for judged in image.judged), *waiting]


def _test(judged: Judged, suite: list[str]) -> dict[str, Any]:
    finding = judged.finding
    told: dict[str, Any] = {
        "name": finding.claim,
        "status": _STATUS[judged.standing],
        "duration": _milliseconds(finding.seconds),
        "suite": suite,
        "message": plain(finding.message),
        "rawStatus": judged.standing.value,
    }
    if judged.standing in {Standing.BROKEN, Standing.UNKNOWN}:
        told["trace"] = "\n".join(sentences.seen_and_do(finding))
    return told


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
