"""`base-layers`: the image really stands on the base that it declares."""

from __future__ import annotations

from stageproof.checks import origin
from stageproof.checks.subject import Subject, evidence_at, evidence_in, failed, passed, unknown
from stageproof.model import Evidence, Finding

CLAIM = "begins with the layers of the base that it declares"
BROKEN = "does not begin with the layers of the base that it declares"
WHY = "who looks for images to rebuild after a hole in a base goes by its name; the bytes must be that base's"
DO = "FROM the base that the label names, and build again after the base has changed"


def check(subject: Subject) -> Finding:
    """Decide the claim by the diff ids of the base that the label org.opencontainers.image.base.name or FROM names."""
    image = subject.image
    labelled = image.config.labels.get(origin.BASE_NAME, "")
    built_on = subject.dockerfile.base() if subject.dockerfile else ""
    name = labelled or built_on
    if not name:
        told = Evidence(f"no label {origin.BASE_NAME}, and the Dockerfile is not known")
        return unknown("base-layers", f"could not be shown that it {CLAIM}", [told], f"LABEL {origin.BASE_NAME}=...")
    if labelled and built_on and not origin.same_name(labelled, built_on):
        told = evidence_at(subject, f"the label says {labelled}, FROM says {built_on}", "LABEL")
        return failed("base-layers", BROKEN, [told], DO)
    base = next((each for known, each in subject.bases.items() if origin.same_name(known, name)), None)
    if base is None:
        told = Evidence(f"there is no image of {name} to compare with")
        return unknown("base-layers", f"could not be shown that it {CLAIM}", [told], f"have {name} in the engine")
    if origin.is_on(image, base):
        return passed("base-layers", f"begins with the {len(base.layers)} layers of {name}")
    pairs = zip(image.layers, base.layers, strict=False)
    other = next((here for here, there in pairs if here.diff_id != there.diff_id), None)
    seen = [
        evidence_in(subject, other, f"layer {other.number} is another one in {name}")
        if other
        else Evidence(f"{name} has {len(base.layers)} layers, the image {len(image.layers)}")
    ]
    return failed("base-layers", BROKEN, seen, DO)
