"""`labels-present`: the image says what it is, in the labels that OCI defines."""

from __future__ import annotations

from collections.abc import Sequence

from stageproof.checks.subject import Subject, failed, passed
from stageproof.model import Evidence, Finding

CLAIM = "has the OCI labels that say what it is"
BROKEN = "lacks OCI labels that say what it is"
WHY = "a running container leads back to its source only by its labels"
DO = "LABEL last in the final stage, from ARG, so that they break no cache"
PREFIX = "org.opencontainers.image."
NAMES = ("title", "description", "version", "revision", "created", "licenses", "source", "base.name")
"""Image specification, annotations: the ones that any image can fill."""


def check(subject: Subject, names: Sequence[str] = NAMES) -> Finding:
    """Decide the claim: each name, with or without the OCI prefix, has a value."""
    labels = subject.image.config.labels
    wanted = [name if name.startswith(PREFIX) or name in labels else PREFIX + name for name in names]
    missing = [name for name in wanted if not labels.get(name, "").strip()]
    if missing:
        return failed(
            "labels-present",
            BROKEN,
            [Evidence(f"{name} is {'empty' if name in labels else 'not set'}") for name in missing],
            DO,
        )
    return passed("labels-present", CLAIM, [Evidence(f"{name}={labels[name]}") for name in wanted])
