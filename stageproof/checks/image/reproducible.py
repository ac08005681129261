"""`reproducible`: a second build of the same sources holds the same files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from stageproof.checks.compared import Pair, configuration, files
from stageproof.checks.subject import Says, Subject, absent, evidence_of, unknown
from stageproof.image import Image
from stageproof.model import Evidence, Finding

ID = "reproducible"
CLAIM = "holds what a second build of the same sources holds"
BROKEN = "differs from a second build of the same sources"
WHY = "what can be built again can be checked by somebody else, and only the sources change it"
DO = "pin what is fetched, write no time and no random value into a file, and name in `varying` what cannot be helped"


def check(subject: Subject, second: str = "", varying: Sequence[str] = ()) -> Finding:
    """Compare the merged trees and the configurations, labels aside; a contract's `second` names the other image.

    Times of files are not compared: the builder sets them to when it built. `varying` are patterns of files whose bytes
    no two builds share: they must be in both.
    """
    other = subject.second
    if other is None:
        do = f'name one in the contract: {ID} = {{ second = "{second or "image"}" }}'
        return unknown(ID, f"could not be shown that it {CLAIM}", [Evidence("there is no second build")], do)
    pair = Pair(subject, other, "this image", "the second build")
    seen = [*files(pair, varying=varying), *configuration(pair)]
    says = Says(f"{CLAIM} ({_likeness(subject, other)})", BROKEN, DO)
    finding = absent(ID, says, subject, seen)
    return replace(finding, evidence=(*finding.evidence, *_allowed(subject, other, varying)))


def _allowed(subject: Subject, other: Image, varying: Sequence[str]) -> Iterator[Evidence]:
    for entry in subject.entries:
        there = other.find(entry.path)
        if there and there.sha256 != entry.sha256 and any(fnmatchcase(entry.path, form) for form in varying):
            yield evidence_of(subject, entry, "differs in content, which the contract allows")


def _likeness(subject: Subject, other: Image) -> str:
    """Say how alike they are: what holds of the files need not hold of the digest."""
    if other.id == subject.image.id:
        return "the same digest, bit for bit"
    return f"{sum(entry.is_file for entry in subject.entries)} files; the digests differ, as times of files do"
