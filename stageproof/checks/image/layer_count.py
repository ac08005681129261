"""`layer-count`: the image has no more layers than it should."""

from __future__ import annotations

from stageproof.checks.subject import Subject, evidence_in, failed, passed, unknown
from stageproof.model import Evidence, Finding

CLAIM = "has no more layers than its limit"
BROKEN = "has more layers than its limit"
WHY = "each layer is a request when it is pulled, and engines stop at 127 of them"
DO = "join RUN lines that belong together, and COPY what changes together in one line"
MOST = 40
"""What Red Hat's preflight accepts."""
SHOWN = 20


def check(subject: Subject, most: int = MOST, own: int = 0) -> Finding:
    """Decide the claim by `most` layers in all, and by `own` layers on top of the base (0: not asked)."""
    image, count = subject.image, subject.origins.count
    total = len(image.layers)
    if own and count is None:
        told = Evidence("its base is not known: which layers are its own cannot be told")
        return unknown("layer-count", f"could not be shown that it {CLAIM}", [told], "give the Dockerfile or the base")
    added = total - (count or 0)
    numbers = f"{total} layers of {most}" + (f", {added} of {own} on top of the base" if own else "")
    if total <= most and (not own or added <= own):
        return passed("layer-count", f"has {numbers}")
    seen = [
        evidence_in(subject, layer, f"{len(layer.entries)} entries", size=layer.disk)
        for layer in image.layers[-min(added, SHOWN) :]
    ]
    return failed("layer-count", f"{BROKEN}: {numbers}", seen, DO)
