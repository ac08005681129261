"""Contracts are found by name or file, refused where they say nothing, and written so that they read back the same."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stageproof import checks, contract
from stageproof.contract import Contract
from stageproof.errors import CatalogError, UsageError
from stageproof.model import Claim

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
PLAIN = st.one_of(st.booleans(), st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
VALUES = st.one_of(PLAIN, st.lists(PLAIN, max_size=3), st.dictionaries(TEXTS, PLAIN, max_size=3))
ROWS = st.lists(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3), min_size=1, max_size=3)
PARAMETERS = st.dictionaries(TEXTS, st.one_of(VALUES, ROWS), max_size=4)


@settings(deadline=None, max_examples=100)
@given(TEXTS, st.dictionaries(TEXTS, PARAMETERS, min_size=1, max_size=4), st.lists(st.just("a comment"), max_size=2))
def test_what_is_written_reads_back_the_same(title: str, claims: dict[str, dict[str, object]], said: list[str]) -> None:
    made = Contract("it", title, tuple(Claim(name, parameters) for name, parameters in claims.items()))
    read = tomllib.loads(contract.text(made, said))
    assert read["title"] == title
    assert read["claims"] == claims


def test_a_value_without_a_form_in_toml_is_refused() -> None:
    for value in ("\udcff", None, object()):
        with pytest.raises(ValueError, match="TOML has no form"):
            contract.text(Contract("it", "", (Claim("no-shell", {"x": value}),)))


@pytest.mark.parametrize("name", sorted(contract.names()))
def test_every_contract_with_a_name_makes_claims_that_have_checks(name: str) -> None:
    assert {claim.id for claim in contract.find(name).claims} <= set(checks.names())


def test_the_default_contract_claims_nothing_that_only_a_build_here_can_show() -> None:
    claims = {claim.id for claim in contract.find(contract.DEFAULT).claims}
    assert not claims & {"unit-tests-pass", "no-canary", "no-company-ca", "variant-subset", "debug-is-shell-only"}


def test_a_contract_is_found_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('title = "Mine"\n[claims]\nno-shell = { busybox = "/busybox" }\n', encoding="utf-8")
    found = contract.find(str(path))
    assert (found.name, found.title) == ("mine", "Mine")
    assert found.claims == (Claim("no-shell", {"busybox": "/busybox"}),)


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one() -> None:
    with pytest.raises(UsageError) as error:
        contract.find("distrolss")
    assert error.value.do == "did you mean distroless?"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ('title = "x"', "no table [claims]"),
        ("[claims]", "is empty"),
        ("claims = 3", "claims is no table"),
        ("[claims]\nno-shell = true", "claims.no-shell is no table"),
        ("[claims", "Expected"),
        ("[claims]\nno-shell = {}\nno-shell = {}", "Cannot overwrite"),
    ],
)
def test_a_file_that_claims_nothing_sensible_is_refused(tmp_path: Path, text: str, seen: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError) as error:
        contract.read(path)
    assert seen in error.value.seen


def test_a_file_that_is_no_utf_8_or_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    for path in (tmp_path / "bad.toml", tmp_path):
        with pytest.raises(CatalogError):
            contract.read(path)
