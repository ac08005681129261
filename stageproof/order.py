"""What is asked: which images, against what, and how far it may go."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stageproof import checks, contract, verify
from stageproof.checks import attached, stated
from stageproof.checks.origin import BASE_NAME
from stageproof.contract import Contract
from stageproof.dockerfile import Dockerfile
from stageproof.errors import UsageError
from stageproof.ignores import Ignore
from stageproof.image import Needles
from stageproof.image.sources import needs_engine
from stageproof.model import Claim
from stageproof.names import nearest

SECOND = "second"
"""The parameter by which a claim names another image to be read too."""


@dataclass(frozen=True)
class Order:
    """What is asked: which images, against what, and how far it may go."""

    sources: Sequence[str]
    contract: Contract
    run: bool = False
    """Start containers of the images too."""
    platform: str = ""
    dockerfile: Dockerfile | None = None
    ignores: Sequence[Ignore] = ()


def chosen(name: str, only: Sequence[str] = ()) -> Contract:
    """Give a contract by name or file (empty: the one for any image), or some claims of it.

    A claim that the contract does not make can be asked for too; it gets the check's own defaults. Where no contract
    was named it counts, also if the default contract would only report it. Raises UsageError.
    """
    found = contract.find(name or contract.DEFAULT)
    if not only:
        return found
    known = checks.names()
    for claim in only:
        if claim not in known:
            failed = f"there is no claim {claim!r}"
            raise UsageError(failed, do=nearest(claim, known) or "stageproof claims lists them")
    made = {claim.id: claim for claim in found.claims}
    claims = [made.get(claim, Claim(claim)) for claim in dict.fromkeys(only)]
    return replace(found, claims=tuple(claims if name else map(_counting, claims)))


def _counting(claim: Claim) -> Claim:
    return Claim(claim.id, {name: value for name, value in claim.parameters.items() if name != verify.REPORT})


def base(order: Order, labels: Mapping[str, str]) -> str:
    """Name the base, by the Dockerfile or else by the image's own label; empty if neither tells."""
    return order.dockerfile.base() if order.dockerfile else labels.get(BASE_NAME, "")


def second(asked: Contract) -> str:
    """Name the second build that a claim is about; empty if there is none."""
    named = (claim.parameters.get(SECOND) for claim in asked.claims)
    return str(next(filter(None, named), ""))


def needles(asked: Contract) -> Needles:
    """Say what every file has to be searched for, so that the contract's claims about contents can be decided."""
    return Needles(tuple((text, text.encode()) for claim in asked.claims for text in stated.texts(claim)))


def files(asked: Contract) -> list[str]:
    """Give digests of the files outside the contract that its claims rest on; empty for one that cannot be read."""
    digests = []
    for path in (path for claim in asked.claims for path in attached.files(claim)):
        try:
            digests.append(hashlib.sha256(path.read_bytes()).hexdigest())
        except OSError:
            digests.append("")
    return digests


def refuse_archives(asked: Sequence[str]) -> None:
    """Refuse to run what no engine has. Raises UsageError."""
    archives = [source for source in asked if not needs_engine(source)]
    if archives:
        failed = f"{archives[0]} cannot be run"
        why = "an archive that nobody has looked at is not loaded into an engine"
        raise UsageError(
            failed, seen="--run needs images of an engine", why=why, do="docker load it, and name the image"
        )
