"""Every recipe keeps every claim of its contract."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stageproof import verify
from stageproof.checks.subject import Subject
from stageproof.model import Claim, Finding, Recipe
from stageproof.report import sentences


@pytest.fixture(scope="session")
def findings(
    recipe: Recipe, subject_of: Callable[[Recipe], Subject], request: pytest.FixtureRequest
) -> dict[str, Finding]:
    """Decide the claims of a recipe, some at the same time: most of them wait most of their time."""
    only = request.config.getoption("--claim")
    claims = [claim for claim in recipe.variant.claims if only in {None, claim.id}]
    return {finding.claim: finding for finding in verify.decide_all(claims, subject_of(recipe), verify.AT_ONCE)}


def test_the_image_keeps_its_claim(
    recipe: Recipe,
    claim: Claim,
    findings: dict[str, Finding],
    record_property: Callable[[str, object], None],
) -> None:
    """One claim of one recipe; "reported" ones are shown, and cannot fail."""
    finding = findings[claim.id]
    holds = finding.verdict in verify.KEPT
    reported = verify.is_reported_only(claim) and not holds
    record_property("verdict", "reported" if reported else finding.verdict.value)
    if not holds and not reported:
        pytest.fail(sentences.failure(recipe.name, finding), pytrace=False)
