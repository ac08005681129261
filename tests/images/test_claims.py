"""Every recipe keeps every claim of its contract."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stageproof import verify
from stageproof.checks.subject import Subject
from stageproof.model import Claim, Recipe
from stageproof.report import sentences


def test_the_image_keeps_its_claim(
    recipe: Recipe,
    claim: Claim,
    subject_of: Callable[[Recipe], Subject],
    record_property: Callable[[str, object], None],
) -> None:
    """One claim of one recipe; "reported" ones are shown, and cannot fail."""
    finding = verify.decide(claim, subject_of(recipe))
    holds = finding.verdict in verify.KEPT
    reported = verify.is_reported_only(claim) and not holds
    record_property("verdict", "reported" if reported else finding.verdict.value)
    if not holds and not reported:
        pytest.fail(sentences.failure(recipe.name, finding), pytrace=False)
