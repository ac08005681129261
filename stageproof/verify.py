"""A claim and an image -> a finding, and what it means for a contract: the one place that runs checks."""

from __future__ import annotations

import enum
import inspect
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date

from stageproof import checks, ignores
from stageproof.checks.subject import Subject, unknown
from stageproof.errors import CatalogError, DiskFullError, EngineDiedError, Error
from stageproof.ignores import Ignore
from stageproof.model import Claim, Evidence, Finding, Verdict

KEPT = frozenset({Verdict.PASS, Verdict.NOT_APPLICABLE})
"""The verdicts with which a contract is kept: a claim that says nothing about an image has given its reason."""
AT_ONCE = 2
"""How many claims of one image are decided at the same time: those that wait do not hold the others."""
REPORT = "report"
"""The one parameter that is the contract's and not the check's: the finding is shown, and fails nothing."""


class Standing(enum.StrEnum):
    """What a finding means for the contract."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"
    REPORTED = "reported"
    """It does not hold, and the contract only wants to see it."""
    IGNORED = "ignored"
    """It does not hold, and somebody accepted that, with a reason and an end date."""


_STANDINGS = {
    Verdict.PASS: Standing.HOLDS,
    Verdict.FAIL: Standing.BROKEN,
    Verdict.UNKNOWN: Standing.UNKNOWN,
    Verdict.NOT_APPLICABLE: Standing.NOT_APPLICABLE,
}


@dataclass(frozen=True)
class Judged:
    """A finding, and whether the contract only reports it, or somebody accepted it."""

    finding: Finding
    reported: bool = False
    ignored: Ignore | None = None

    @property
    def standing(self) -> Standing:
        """What it means for the contract."""
        standing = _STANDINGS[self.finding.verdict]
        if standing in {Standing.HOLDS, Standing.NOT_APPLICABLE}:
            return standing
        if self.reported:
            return Standing.REPORTED
        return Standing.IGNORED if self.ignored else standing


@dataclass(frozen=True)
class Verified:
    """An image, and everything that was decided about it."""

    source: str
    """The name by which it was asked for."""
    digest: str
    """The digest of its configuration."""
    platform: str
    contract: str
    layers: int
    disk: int
    """Bytes."""
    judged: tuple[Judged, ...]
    not_run: tuple[str, ...] = ()
    """Claims about a running container that were not decided, since none was to be started."""
    seconds: float = 0.0
    dockerfile: str = ""
    """The path of the Dockerfile that it was built from, if it was given."""

    def count(self, standing: Standing) -> int:
        """Count the findings of one standing."""
        return sum(1 for each in self.judged if each.standing is standing)


def decide(claim: Claim, subject: Subject) -> Finding:
    """Run the check of a claim; what it could not find out is unknown, with the reason.

    Raises CatalogError, and what ends the whole run: EngineDiedError and DiskFullError.
    """
    check = checks.load(claim.id)
    parameters = {name: value for name, value in claim.parameters.items() if name != REPORT}
    _refuse_unknown_parameters(claim.id, check, parameters)
    begin = time.monotonic()
    try:
        finding = check.check(subject, **parameters)
    except CatalogError:
        raise  # the contract is wrong, and says nothing about the image
    except (EngineDiedError, DiskFullError):
        raise  # every claim after it would be unknown for the same reason: told once, with an exit code of its own
    except Error as error:
        finding = _could_not_look(claim.id, check, error)
    seconds = time.monotonic() - begin
    do = finding.do or (f"stageproof explain {claim.id}" if finding.verdict is not Verdict.PASS else "")
    return replace(finding, claim=claim.id, seconds=seconds, do=do)


def decide_all(claims: Iterable[Claim], subject: Subject, at_once: int = 1) -> list[Finding]:
    """Decide every claim of a contract, so many at the same time, and give the findings in its order.

    Those that wait in containers of their own are begun first.
    """
    asked = list(claims)
    with ThreadPoolExecutor(at_once) as pool:
        begun = {number: pool.submit(decide, asked[number], subject) for number in _waiting_first(asked)}
        try:
            return [begun[number].result() for number in range(len(asked))]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _waiting_first(claims: Sequence[Claim]) -> list[int]:
    return sorted(range(len(claims)), key=lambda number: not getattr(checks.load(claims[number].id), "WAITS", False))


def is_reported_only(claim: Claim) -> bool:
    """Whether the contract only wants to see the finding, and does not fail by it."""
    return claim.parameters.get(REPORT) is True


def _could_not_look(claim: str, check: checks.Check, error: Error) -> Finding:
    seen = [Evidence(line) for line in error.seen.splitlines()]
    return unknown(claim, f"could not be asked whether it {check.CLAIM}: {error.failed}", seen, error.do)


def _refuse_unknown_parameters(claim: str, check: checks.Check, given: Iterable[str]) -> None:
    known = list(inspect.signature(check.check).parameters)[1:]
    wrong = sorted(set(given) - set(known))
    if wrong:
        failed = f"the check {claim!r} has no parameter {', '.join(wrong)}"
        raise CatalogError(
            failed, seen=f"it has: {', '.join(known) or 'none'}", why="a limit that is not applied proves nothing"
        )


def needs_container(claim: str) -> bool:
    """Whether a claim is about a running container; False too for a claim that there is none of."""
    return checks.names().get(claim, "").startswith(f"{checks.__name__}.live.")


def with_ignores(verified: Sequence[Verified], entries: Sequence[Ignore], today: date) -> list[Verified]:
    """Accept what the entries accept, and add a finding for each entry that is of no use or over."""
    useful: set[Ignore] = set()
    accepted = []
    for image in verified:
        judged = []
        for each in image.judged:
            ignore, of_use = ignores.covering(entries, each.finding, image.source, today)
            useful.update(of_use)
            judged.append(replace(each, ignored=ignore))
        accepted.append(replace(image, judged=tuple(judged)))
    return [
        replace(image, judged=(*image.judged, *_about(image, accepted, entries, useful, today))) for image in accepted
    ]


def _about(
    image: Verified, every: Sequence[Verified], entries: Sequence[Ignore], useful: set[Ignore], today: date
) -> Iterator[Judged]:
    """Say of entries that speak of this image what is wrong with them; each is told at the first image it speaks of."""
    for entry in entries:
        first = next((each for each in every if _speaks_of(entry, each)), None)
        if first is not image:
            continue
        if entry.until < today:
            yield Judged(ignores.expired(entry, today))
        elif entry not in useful:
            yield Judged(ignores.unused(entry))


def _speaks_of(entry: Ignore, image: Verified) -> bool:
    return any(entry.is_about(judged.finding.claim, image.source) for judged in image.judged)
