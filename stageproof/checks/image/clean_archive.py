"""`clean-archive`: the archives of the layers hold nothing that two readers could understand in two ways."""

from __future__ import annotations

from collections.abc import Iterator

from stageproof.checks.subject import Subject, evidence_in, failed, passed
from stageproof.model import Evidence, Finding

CLAIM = "has layers that every reader understands in the same way"
BROKEN = "has layers with entries that readers understand in different ways"
WHY = "what a scanner reads and what an engine unpacks can then be two different things"
DO = "build the image with BuildKit, or write the layer with a tool that keeps to the OCI image specification"


def check(subject: Subject) -> Finding:
    """Decide the claim for every layer by what its reader remarked.

    Doubled paths, devices, two sizes, hidden bytes, names that leave the root, names that are no UTF-8.
    An archive that cannot be read at all has no findings: reading it is an error.
    """
    seen = list(_odd(subject))
    if seen:
        return failed("clean-archive", BROKEN, seen, DO)
    layers = subject.image.layers
    entries = sum(len(layer.entries) for layer in layers)
    told = [evidence_in(subject, layer, remark) for layer in layers for remark in layer.remarks]
    return passed("clean-archive", f"{CLAIM}: {entries} entries in {len(layers)} layers", told)


def _odd(subject: Subject) -> Iterator[Evidence]:
    for layer in subject.image.layers:
        # The engine lays a /dev of its own over the image's: no container sees these.
        hidden = {f"{path} is a {entry.kind}" for path, entry in layer.entries.items() if path.startswith("/dev/")}
        for remark in layer.remarks:
            if remark not in hidden:
                yield evidence_in(subject, layer, remark)
