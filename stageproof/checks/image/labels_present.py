"""`labels-present`: the image says what it is, in the labels that OCI defines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stageproof.checks.subject import Subject, evidence_at, failed, passed
from stageproof.model import Evidence, Finding

CLAIM = "has the OCI labels that say what it is"
BROKEN = "lacks OCI labels that say what it is, or has labels that cannot be shown"
WHY = "a running container leads back to its source only by its labels"
DO = "LABEL last in the final stage, from ARG, so that they break no cache"
PREFIX = "org.opencontainers.image."
NAMES = ("title", "description", "version", "revision", "created", "licenses", "source", "base.name")
"""Image specification, annotations: the ones that any image can fill."""


LONGEST = 64 * 1024
"""Characters of one label: more than any description needs."""


def check(subject: Subject, names: Sequence[str] = NAMES) -> Finding:
    """Decide the claim: each name, with or without the OCI prefix, has a value; and every label is a text to show."""
    labels = subject.image.config.labels
    wanted = [name if name.startswith(PREFIX) or name in labels else PREFIX + name for name in names]
    faults = [f"{name} is {'empty' if name in labels else 'not set'}" for name in wanted if not _text(labels, name)]
    faults += [f"{name!r} {fault}" for name in sorted(labels) if (fault := _unfit(name, labels[name]))]
    if faults:
        return failed("labels-present", BROKEN, [evidence_at(subject, fault, "LABEL") for fault in faults], DO)
    return passed("labels-present", CLAIM, [Evidence(f"{name}={labels[name]}") for name in wanted])


def _text(labels: Mapping[str, str], name: str) -> str:
    return labels.get(name, "").strip()


def _unfit(name: str, value: str) -> str:
    """Say why a label is no text for people: tools show it, and not all of them are careful."""
    if len(value) > LONGEST:
        return f"is {len(value):,} characters long, more than {LONGEST:,}"
    if not (name + value).replace("\n", "").replace("\t", "").isprintable():
        return "holds characters that cannot be shown"
    return ""
