"""Claims are decided in one place: parameters are checked, and what could not be found out is unknown."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stageproof import checks, verify
from stageproof.checks.subject import Subject
from stageproof.errors import CatalogError, ImageError
from stageproof.model import Claim, Verdict

if TYPE_CHECKING:
    from tests.unit.conftest import Images

IDS = sorted(checks.names())


@pytest.mark.parametrize("claim", IDS)
def test_every_check_says_what_it_claims_and_has_its_page(claim: str, root: Path) -> None:
    module = checks.load(claim)
    assert module.CLAIM
    assert module.BROKEN
    assert module.WHY
    assert callable(module.check)
    page = (root / "docs" / "checks" / f"{claim}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {claim}\n")
    for part in ("**Why.**", "**How it is decided.**", "**How to fix.**"):
        assert part in page


def test_every_page_belongs_to_a_check(root: Path) -> None:
    assert sorted(path.stem for path in (root / "docs" / "checks").glob("*.md")) == IDS


def test_every_claim_of_the_contracts_has_a_check_that_takes_its_parameters(root: Path, images: Images) -> None:
    for path in (root / "dockerfiles" / "contracts").glob("*.toml"):
        for claim, parameters in tomllib.loads(path.read_text(encoding="utf-8"))["claims"].items():
            finding = verify.decide(Claim(claim, parameters), Subject(images.app()))
            assert finding.claim == claim


def test_a_finding_has_its_claim_its_time_and_what_to_do(images: Images) -> None:
    finding = verify.decide(Claim("no-shell"), Subject(images.app(images.file("bin/sh", images.elf(), 0o755))))
    assert (finding.claim, finding.verdict) == ("no-shell", Verdict.FAIL)
    assert finding.seconds > 0
    assert finding.do


def test_an_unknown_claim_is_an_error_of_the_contract(images: Images) -> None:
    with pytest.raises(CatalogError, match="no check 'no-shel'"):
        verify.decide(Claim("no-shel"), Subject(images.app()))


def test_an_unknown_parameter_is_an_error_of_the_contract(images: Images) -> None:
    with pytest.raises(CatalogError, match=re.escape("'no-shell' has no parameter allow")):
        verify.decide(Claim("no-shell", {"allow": ["sh"]}), Subject(images.app()))


def test_report_is_the_contract_s_own_and_never_reaches_a_check(images: Images) -> None:
    claim = Claim("no-shell", {"report": True})
    assert verify.is_reported_only(claim)
    assert verify.decide(claim, Subject(images.app())).verdict is Verdict.PASS


def test_an_error_of_ours_makes_the_claim_unknown_with_the_reason(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Subject) -> None:
        message = "the disk is gone"
        raise ImageError(message, seen="line 1\nline 2", do="buy one")

    monkeypatch.setattr(checks.load("no-editor"), "check", broken)
    finding = verify.decide(Claim("no-editor"), Subject(images.app()))
    assert finding.verdict is Verdict.UNKNOWN
    assert "the disk is gone" in finding.message
    assert [evidence.text for evidence in finding.evidence] == ["line 1", "line 2"]
    assert finding.do == "buy one"


def test_all_claims_are_decided_in_their_order(images: Images) -> None:
    claims = [Claim("no-editor"), Claim("no-shell"), Claim("unit-tests-pass")]
    assert [finding.claim for finding in verify.decide_all(claims, Subject(images.app()))] == [c.id for c in claims]
