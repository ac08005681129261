"""Byte strings that are looked for in every file of every layer."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

CANARY = "the canary"
COMPANY_CA = "a company certificate"


@dataclass(frozen=True)
class Needles:
    """What to look for: (label, bytes); several forms may share a label."""

    forms: tuple[tuple[str, bytes], ...] = ()

    @classmethod
    def of(cls, canary: str = "", company_ca: Sequence[bytes] = ()) -> Needles:
        """Make the forms in which a canary (plain, hex, base64) and a company's certificates may hide."""
        forms = [(COMPANY_CA, needle) for needle in company_ca]
        if canary:
            forms += [(f"{CANARY}{how}", form) for how, form in canary_forms(canary)]
        return cls(tuple(forms))

    @property
    def digest(self) -> str:
        """A name for this set of needles, for the cache; it tells nothing about them."""
        lines = [f"{label}\0{form.hex()}" for label, form in sorted(self.forms)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def canary_forms(canary: str) -> list[tuple[str, bytes]]:
    """Give the forms of a value: (how, bytes). Base64 has three, one for each place that the value may start at."""
    raw = canary.encode()
    forms = [("", raw), (", in hex", raw.hex().encode()), (", in hex", raw.hex().upper().encode())]
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw)
        # The first and the last group hold bits of the neighbours too: only the groups between are certain.
        first, last = -(-shift * 4 // 3), (shift + len(raw)) * 4 // 3
        forms += [(", in base64", text[first:last]), (", in base64", text[first:last].translate(_URL_SAFE))]
    return list(dict.fromkeys(forms))


_URL_SAFE = bytes.maketrans(b"+/", b"-_")
