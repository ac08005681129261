"""JUnit's XML, as CI servers read it: an image is a test suite, a claim is a test case."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from stageproof.report import sentences
from stageproof.report.escape import plain
from stageproof.verify import Judged, Standing, Verified

_SKIPPED = {
    Standing.NOT_APPLICABLE: "does not apply",
    Standing.REPORTED: "only reported",
    Standing.IGNORED: "ignored",
}


def render(images: Sequence[Verified]) -> str:
    """Write the document: a broken claim is a failure, an unknown one an error, what fails nothing is skipped."""
    root = ET.Element("testsuites", name="stageproof")
    for image in images:
        _suite(root, image)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", _time(sum(image.seconds for image in images)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, image: Verified) -> None:
    skipped = sum(image.count(standing) for standing in _SKIPPED) + len(image.not_run)
    suite = ET.SubElement(
        root,
        "testsuite",
        name=plain(image.source),
        tests=str(len(image.judged) + len(image.not_run)),
        failures=str(image.count(Standing.BROKEN)),
        errors=str(image.count(Standing.UNKNOWN)),
        skipped=str(skipped),
        time=_time(image.seconds),
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (("digest", image.digest), ("platform", image.platform), ("contract", image.contract)):
        ET.SubElement(properties, "property", name=name, value=plain(value))
    for judged in image.judged:
        _case(suite, image, judged)
    for claim in image.not_run:
        case = ET.SubElement(suite, "testcase", classname=plain(image.source), name=claim, time=_time(0))
        ET.SubElement(case, "skipped", message="not decided: it needs --run")


def _case(suite: ET.Element, image: Verified, judged: Judged) -> None:
    finding = judged.finding
    case = ET.SubElement(
        suite, "testcase", classname=plain(image.source), name=finding.claim, time=_time(finding.seconds)
    )
    message = plain(finding.message)
    if judged.standing in _SKIPPED:
        reason = f": {plain(judged.ignored.reason)}, until {judged.ignored.until}" if judged.ignored else ""
        ET.SubElement(case, "skipped", message=f"{_SKIPPED[judged.standing]}{reason}; {message}")
    elif judged.standing is not Standing.HOLDS:
        kind = "failure" if judged.standing is Standing.BROKEN else "error"
        told = ET.SubElement(case, kind, message=message, type=finding.claim)
        told.text = "\n".join([message, *sentences.seen_and_do(finding)])


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"
