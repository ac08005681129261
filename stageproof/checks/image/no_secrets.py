"""`no-secrets`: no layer, no history line, no variable and no label holds what looks like a secret."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from stageproof.checks.subject import Says, Subject, absent, evidence_in
from stageproof.image import Image, secrets
from stageproof.model import Evidence, Finding

CLAIM = "holds nothing that looks like a secret"
BROKEN = "holds what looks like a secret"
WHY = "whoever can pull the image can read every layer, also files that a later layer deletes"
DO = "RUN --mount=type=secret for the build, the orchestrator's for the run; and replace it, it is known now"


def check(subject: Subject, known: Sequence[str] = ()) -> Finding:
    """Decide the claim; what a base brings unchanged is the base's, and paths that match `known` are none.

    Values are never shown.
    """
    image = subject.image
    seen = [*_in_layers(subject, known), *_in_config(image)]
    return absent("no-secrets", Says(CLAIM, BROKEN, DO), subject, seen)


def _in_layers(subject: Subject, known: Sequence[str]) -> Iterator[Evidence]:
    image = subject.image
    of_bases = {
        entry.sha256 for base in subject.bases.values() for layer in base.layers for entry in layer.entries.values()
    }
    for layer in image.layers:
        for entry in layer.entries.values():
            if (
                not entry.facts.secrets
                or entry.sha256 in of_bases
                or any(fnmatchcase(entry.path, form) for form in known)
            ):
                continue
            gone = "" if image.find(entry.path) else "; deleted later, and still in the image"
            text = ", ".join(entry.facts.secrets) + gone
            yield evidence_in(subject, layer, text, entry.path, entry.size)


def _in_config(image: Image) -> Iterator[Evidence]:
    for place, text in image.config.texts():
        for kind in secrets.in_text(text):
            yield Evidence(f"{kind}, in the {place} (value not shown)")
