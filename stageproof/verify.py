"""A claim and an image -> a finding: the one place that runs checks."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable
from dataclasses import replace

from stageproof import checks
from stageproof.checks.subject import Subject, unknown
from stageproof.errors import CatalogError, Error
from stageproof.model import Claim, Evidence, Finding, Verdict

KEPT = frozenset({Verdict.PASS, Verdict.NOT_APPLICABLE})
"""The verdicts with which a contract is kept: a claim that says nothing about an image has given its reason."""
REPORT = "report"
"""The one parameter that is the contract's and not the check's: the finding is shown, and fails nothing."""


def decide(claim: Claim, subject: Subject) -> Finding:
    """Run the check of a claim; what it could not find out is unknown, with the reason. Raise CatalogError."""
    check = checks.load(claim.id)
    parameters = {name: value for name, value in claim.parameters.items() if name != REPORT}
    _refuse_unknown_parameters(claim.id, check, parameters)
    begin = time.monotonic()
    try:
        finding = check.check(subject, **parameters)
    except Error as error:
        finding = _could_not_look(claim.id, check, error)
    seconds = time.monotonic() - begin
    do = finding.do or (f"docs/checks/{claim.id}.md" if finding.verdict is not Verdict.PASS else "")
    return replace(finding, claim=claim.id, seconds=seconds, do=do)


def decide_all(claims: Iterable[Claim], subject: Subject) -> list[Finding]:
    """Decide every claim of a contract, in its order."""
    return [decide(claim, subject) for claim in claims]


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
