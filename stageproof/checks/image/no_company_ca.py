"""`no-company-ca`: nothing of a company's certificates, which the build needed, is in the image."""

from __future__ import annotations

from collections.abc import Iterator

from stageproof.checks.subject import Says, Subject, absent, evidence_in, not_applicable, unknown
from stageproof.image.needles import COMPANY_CA
from stageproof.model import Evidence, Finding

CLAIM = "holds nothing of the company's certificates that its build used"
BROKEN = "holds a company's certificate that only its build needed"
WHY = "an image that trusts a company's proxy trusts whoever holds that key, at every place it runs"
DO = "derive no final stage from the stage `sdk`, and copy no /etc/ssl from it"


def check(subject: Subject) -> Finding:
    """Decide the claim: the certificates' bytes in every file of every layer."""
    if not subject.company_ca:
        return not_applicable("no-company-ca", "was built without a company's certificates")
    if not {(COMPANY_CA, needle) for needle in subject.company_ca} <= set(subject.image.needles.forms):
        seen = [Evidence("the layers were searched for something else")]
        return unknown(
            "no-company-ca", f"could not be shown that it {CLAIM}", seen, "read the image again with these certificates"
        )
    return absent("no-company-ca", Says(CLAIM, BROKEN, DO), subject, _found(subject))


def _found(subject: Subject) -> Iterator[Evidence]:
    for layer in subject.image.layers:
        for path, labels in layer.found.items():
            if COMPANY_CA in labels:
                entry = layer.entries.get(path)
                yield evidence_in(subject, layer, COMPANY_CA, path, entry.size if entry else None)
