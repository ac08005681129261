"""`variant-subset`: the app's files are the same as in the stack's larger variant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from stageproof.checks.subject import ELSEWHERE, Says, Subject, absent, evidence_of, not_applicable, unknown
from stageproof.image import Image
from stageproof.model import Evidence, Finding

CLAIM = "holds no file of the app that the larger variant does not hold in the same way"
BROKEN = "holds files of the app that are other than the larger variant's, or not there"
WHY = "a smaller image is only a fair comparison, and a safe replacement, if the same app is in it"
DO = "build both from the same sources with the same versions, and copy the app whole"


def check(
    subject: Subject,
    sibling: str = "multistage",
    app: str = "/app",
    varying: Sequence[str] = (),
    own: Sequence[str] = (),
) -> Finding:
    """Decide the claim for each file and link below `app`: the same path, and the same bytes, in the variant `sibling`.

    `varying` are patterns of files whose bytes no two builds share: they must be in both. `own` are patterns of what
    belongs to this variant's way of packaging (a runtime, a link to the interpreter).
    """
    if subject.elsewhere:
        return not_applicable("variant-subset", ELSEWHERE)
    other = subject.siblings.get(sibling)
    if other is None:
        seen = [Evidence(f"there is no image of the variant {sibling}")]
        return unknown("variant-subset", f"could not be shown that it {CLAIM}", seen, f"build {sibling} too")
    if not any(entry.is_file for entry in subject.image.walk(app)):
        seen = [Evidence(f"there is no file below {app}: nothing was compared")]
        return unknown("variant-subset", f"could not be shown that it {CLAIM}", seen)
    seen = list(_different(subject, other, app, varying, own))
    return absent("variant-subset", Says(f"{CLAIM} ({sibling})", BROKEN, DO), subject, seen)


def _different(
    subject: Subject, other: Image, app: str, varying: Sequence[str], own: Sequence[str]
) -> Iterator[Evidence]:
    for entry in subject.image.walk(app):
        if entry.is_folder or any(fnmatchcase(entry.path, form) for form in own):
            continue
        there = other.find(entry.path)
        if there is None:
            yield evidence_of(subject, entry, "not in the larger variant")
        elif (there.kind, there.link) != (entry.kind, entry.link):
            yield evidence_of(subject, entry, f"a {entry.kind} {entry.link}".rstrip() + f", and a {there.kind} there")
        elif there.sha256 != entry.sha256 and not any(fnmatchcase(entry.path, form) for form in varying):
            yield evidence_of(subject, entry, "other bytes than there")
