"""`no-canary`: a value hidden in what the build was given is found nowhere in the image."""

from __future__ import annotations

from collections.abc import Iterator

from stageproof.checks.subject import Says, Subject, absent, evidence_in, not_applicable, unknown
from stageproof.image import Image, Needles
from stageproof.image.needles import CANARY
from stageproof.model import Evidence, Finding

CLAIM = "holds no trace of the canary, a value hidden in what its build was given"
BROKEN = "holds the canary, a value hidden in what its build was given"
WHY = "by the way that the canary got in, any secret gets in that lies beside the source"
DO = "an allow-list in .dockerignore, COPY by name, and RUN --mount=type=secret for secrets"


def check(subject: Subject) -> Finding:
    """Decide the claim: the value, plain, in hex and base64, in each file of each layer, and in the configuration."""
    if not subject.canary:
        return not_applicable("no-canary", "was built without a canary")
    forms = Needles.of(subject.canary).forms
    if not set(forms) <= set(subject.image.needles.forms):
        seen = [Evidence("the layers were searched for something else")]
        return unknown(
            "no-canary", f"could not be shown that it {CLAIM}", seen, "read the image again with this canary"
        )
    seen = [*_in_layers(subject), *_in_config(subject.image, forms)]
    return absent("no-canary", Says(CLAIM, BROKEN, DO), subject, seen)


def _in_layers(subject: Subject) -> Iterator[Evidence]:
    for layer in subject.image.layers:
        for path, labels in layer.found.items():
            for label in labels:
                if label.startswith(CANARY):
                    entry = layer.entries.get(path)
                    yield evidence_in(subject, layer, label, path, entry.size if entry else None)


def _in_config(image: Image, forms: tuple[tuple[str, bytes], ...]) -> Iterator[Evidence]:
    for place, text in image.config.texts():
        data = text.encode("utf-8", "surrogatepass")
        for label in dict.fromkeys(label for label, form in forms if form in data):
            yield Evidence(f"{label}, in the {place}")
