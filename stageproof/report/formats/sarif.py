"""SARIF 2.1.0, for code scanning: a run per image, a rule per claim, a result per claim that does not simply hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from stageproof import __version__
from stageproof.model import Finding
from stageproof.report import escape, rules, sentences
from stageproof.report.escape import markdown, plain
from stageproof.verify import Judged, Standing, Verified

VERSION = "2.1.0"
_IMAGE = "IMAGE"
"""The name for the root of an image's file system, which locations are relative to."""
# SARIF 3.27.9 and 3.27.10: only what fails has a level; "open" is what could not be decided.
_KINDS = {
    Standing.BROKEN: {"kind": "fail", "level": "error"},
    Standing.UNKNOWN: {"kind": "open", "level": "none"},
    Standing.REPORTED: {"kind": "fail", "level": "note"},
    Standing.IGNORED: {"kind": "fail", "level": "error"},
}


def render(images: Sequence[Verified]) -> str:
    """Write the log."""
    log = {"version": VERSION, "runs": [_run(image) for image in images]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _run(image: Verified) -> dict[str, Any]:
    told = [judged for judged in image.judged if judged.standing in _KINDS]
    ids = list(dict.fromkeys(judged.finding.claim for judged in told))
    driver = {"name": "stageproof", "semanticVersion": __version__, "rules": [_rule(claim) for claim in ids]}
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"stageproof/{plain(image.source)}/"},
        "originalUriBaseIds": {_IMAGE: {"description": {"text": f"the root of {plain(image.source)}"}}},
        "columnKind": "unicodeCodePoints",
        "properties": {"digest": image.digest, "platform": plain(image.platform), "contract": plain(image.contract)},
        "results": [_result(image, judged, ids.index(judged.finding.claim)) for judged in told],
    }


def _rule(claim: str) -> dict[str, Any]:
    rule = rules.rule(claim)
    written: dict[str, Any] = {
        "id": claim,
        "shortDescription": {"text": f"The image {rule.holds}."},
        "fullDescription": {"text": f"The image {rule.holds}: {rule.why.rstrip('.')}."},
    }
    if rule.page:
        written["help"] = {"text": rule.page, "markdown": rule.page}
    return written


def _result(image: Verified, judged: Judged, index: int) -> dict[str, Any]:
    finding = judged.finding
    words = [f"{image.source}: {finding.message}", *sentences.lines(finding.evidence), finding.do]
    text = "\n".join(escape.sarif(word) for word in words if word)
    result: dict[str, Any] = {
        "ruleId": finding.claim,
        "ruleIndex": index,
        **_KINDS[judged.standing],
        "message": {"text": text, "markdown": "  \n".join(markdown(word) for word in words if word)},
        "locations": list(_locations(image, finding)),
        "partialFingerprints": {"claimOfImage/v1": _fingerprint(finding)},
    }
    if judged.ignored:
        why = f"{judged.ignored.reason} (until {judged.ignored.until})"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": plain(why)}]
    return result


def _locations(image: Verified, finding: Finding) -> Iterator[dict[str, Any]]:
    places = list(dict.fromkeys((each.path, each.line) for each in finding.evidence[: sentences.SHOWN]))
    for path, line in places or [("", None)]:
        written: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": plain(f"{image.source}:{path or '/'}")}]}
        if image.dockerfile and line:
            where = {"uri": _uri(image.dockerfile)}
            written["physicalLocation"] = {"artifactLocation": where, "region": {"startLine": line}}
        elif path and len(path) <= escape.LONGEST:
            written["physicalLocation"] = {"artifactLocation": {"uri": _uri(path), "uriBaseId": _IMAGE}}
        yield written


def _uri(path: str) -> str:
    # The bytes of the name as they are in the image, so that a name that is no UTF-8 stays the same name.
    return quote(path.lstrip("/").encode("utf-8", "surrogateescape" if _is_bytes(path) else "replace"))


def _is_bytes(path: str) -> bool:
    """Whether every lone surrogate stands for a byte, as names of files have them."""
    return all(not 0xD800 <= ord(letter) < 0xDC80 and not 0xDCFF < ord(letter) <= 0xDFFF for letter in path)  # noqa: PLR2004 -- the surrogates, without those that stand for bytes


def _fingerprint(finding: Finding) -> str:
    """Give what stays the same while the same thing is wrong: the claim, and the paths in the evidence."""
    words = [finding.claim, *sorted({each.path for each in finding.evidence})]
    return hashlib.sha256("\0".join(words).encode("utf-8", "backslashreplace")).hexdigest()
