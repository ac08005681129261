"""What the claims about attestations and signatures share: what is attached, and where that could not be told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stageproof.checks.subject import Says, Subject, failed, unknown
from stageproof.image import attestations
from stageproof.image.attestations import Attached, Signature, Statement
from stageproof.model import Claim, Evidence, Finding

SIGNED = "signature-valid"
_NOT_KEPT = "its source may have dropped it: an engine's classic store and a docker archive keep none beside an image"
_DO = "build with --output type=oci,dest=FILE --provenance mode=max --sbom true, and verify that file"


def not_kept(claim: str, holds: str, do: str = _DO) -> Finding:
    """Say that the image may have it, and its source not."""
    return unknown(claim, f"could not be shown that it {holds}", [Evidence(_NOT_KEPT)], do)


def not_read(claim: str, holds: str, attached: Attached) -> Finding:
    """Say that the image may have it, and in something that is too large to be read."""
    seen = [Evidence(f"{each.digest} {each.problem}") for each in attached.unread]
    return unknown(claim, f"could not be shown that it {holds}", seen, "attach less, or smaller documents")


def statements(claim: str, says: Says, subject: Subject, types: Sequence[str]) -> list[Statement] | Finding:
    """Give the statements of these types about the image, at least one; or the finding, where that decides the claim.

    A statement that cannot be read breaks it: nobody can say what it was about.
    """
    attached = subject.image.attached
    there = attestations.statements(attached) if attached else []
    of_type = [one for one in there if _is_of(one, types)]
    unreadable = [Evidence(f"{one.digest} {one.problem}") for one in there if one.problem]
    about = [one for one in of_type if attached and is_about(one, attached)]
    if about and not unreadable:
        return about
    if attached is None or not (attached.whole or of_type or unreadable):
        return not_kept(claim, says.holds)
    if attached.unread and not unreadable:
        return not_read(claim, says.holds, attached)
    others = [Evidence(f"{one.digest} is about {_about(one)}") for one in of_type if one not in about]
    if others:
        others.append(Evidence(f"the image is {attached.manifest}"))
    return failed(claim, says.broken, [*unreadable, *others] or [Evidence("none is attached")], says.do)


def is_about(one: Statement | Signature, attached: Attached) -> bool:
    """Whether it names the image: its manifest, or an index that leads to that."""
    return not {attached.manifest, *attached.indexes}.isdisjoint(one.subjects)


def _is_of(one: Statement, types: Sequence[str]) -> bool:
    """Whether it is of one of these types; some add a version below."""
    return any(one.predicate_type == each or one.predicate_type.startswith(f"{each}/") for each in types)


def _about(one: Statement) -> str:
    return (
        ", ".join(one.subjects[:3])[:300] or "nothing (BuildKit names the image only where the build does: --tag NAME)"
    )


def files(claim: Claim) -> list[Path]:
    """Give the files outside the contract that a claim's verdict rests on."""
    key = claim.parameters.get("key") if claim.id == SIGNED else None
    return [Path(key)] if isinstance(key, str) and key else []
