from __future__ import annotations

import re
from pathlib import Path

import pytest

from stageproof import checks, contract
from stageproof.catalog import Catalog

LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def test_every_link_of_a_document_leads_to_a_file(root: Path) -> None:
    documents = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("apps/*/*.md"), *root.glob("apps/*.md")]
    links = [(document, target) for document in documents for target in LINK.findall(document.read_text())]
    assert links
    assert [(str(document), target) for document, target in links if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("claim", checks.names())
def test_every_check_has_a_page_that_says_why_how_and_what_to_do(root: Path, claim: str) -> None:
    page = (root / "docs/checks" / f"{claim}.md").read_text()
    assert page.startswith(f"# {claim}\n")
    for heading in ("Why", "How it is decided", "How to fix"):
        assert heading in page


def test_every_claim_of_a_contract_has_a_check(project: Catalog) -> None:
    known = checks.names()
    claims = {claim.id for variant in project.variants for claim in variant.claims}
    assert claims <= set(known)


def test_every_check_is_claimed_by_a_variant_or_by_a_release(project: Catalog) -> None:
    claims = {claim.id for variant in project.variants for claim in variant.claims}
    assert set(checks.names()) == claims | {claim.id for claim in contract.find("release").claims}
