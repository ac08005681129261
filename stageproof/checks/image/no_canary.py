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
    """Decide the claim: the value, plain, in hex and base64, in each file of each layer, and in the configuration.

    And in what is attached to the image: provenance tells the values of all build arguments.
    """
    if not subject.canary:
        return not_applicable("no-canary", "was built without a canary")
    forms = Needles.of(subject.canary).forms
    if not set(forms) <= set(subject.image.needles.forms):
        seen = [Evidence("the layers were searched for something else")]
        return unknown(
            "no-canary", f"could not be shown that it {CLAIM}", seen, "read the image again with this canary"
        )
    seen = [*_in_layers(subject), *_in_config(subject.image, forms), *_in_attached(subject.image, forms)]
    unread = [] if seen else [*_unread(subject.image)]
    if unread:
        return unknown("no-canary", f"could not be shown that it {CLAIM}", unread, "make the archive again")
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


def _in_attached(image: Image, forms: tuple[tuple[str, bytes], ...]) -> Iterator[Evidence]:
    for each in image.attached.attachments if image.attached else ():
        for label in dict.fromkeys(label for label, form in forms if form in each.data):
            yield Evidence(f"{label}, in what is attached to the image: {each.digest} ({each.media_type})")


def _unread(image: Image) -> Iterator[Evidence]:
    for each in image.attached.attachments if image.attached else ():
        if each.problem:
            yield Evidence(f"attached to the image, {each.digest} {each.problem}")
