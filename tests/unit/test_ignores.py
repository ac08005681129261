"""What is ignored has a reason and an end; what is of no use any more, or over, is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from stageproof import ignores, settings
from stageproof.errors import CatalogError
from stageproof.ignores import Ignore
from stageproof.model import Evidence, Finding, Verdict

TODAY = date(2026, 6, 1)
KNOWN = ("no-shell", "no-setuid", "no-editor")
SEEN = (Evidence("setuid", "/usr/bin/su"), Evidence("setuid", "/usr/bin/mount"))
BROKEN = Finding("no-setuid", Verdict.FAIL, "holds setuid files", SEEN)


def entry(**given: object) -> Ignore:
    whole = {"claim": "no-setuid", "reason": "looked at", "until": TODAY, **given}
    return ignores.read([whole], "stageproof.toml", KNOWN)[0]


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        ({}, True),
        ({"image": "*/api:*"}, True),
        ({"image": "other/*"}, False),
        ({"claim": "no-shell"}, False),
        ({"path": "/usr/bin/*"}, True),
        ({"path": "/usr/bin/su"}, False),
        ({"until": date(2026, 5, 31)}, False),
    ],
)
def test_an_entry_accepts_a_finding_only_whole_and_in_time(given: dict[str, object], accepted: bool) -> None:
    ignore = entry(**given)
    found, _ = ignores.covering([ignore], BROKEN, "somebody/api:2", TODAY)
    assert (found is ignore) is accepted


def test_several_entries_accept_a_finding_together_and_each_is_of_use() -> None:
    entries = [entry(path="/usr/bin/su"), entry(path="/usr/bin/m*"), entry(path="/sbin/*")]
    found, useful = ignores.covering(entries, BROKEN, "it", TODAY)
    assert found is entries[0]
    assert useful == entries[:2]


def test_an_entry_for_one_path_of_several_is_of_use_and_accepts_nothing() -> None:
    one = entry(path="/usr/bin/su")
    assert ignores.covering([one], BROKEN, "it", TODAY) == (None, [one])


def test_an_unknown_finding_can_be_accepted_and_a_pass_needs_no_entry() -> None:
    unknown = Finding("no-setuid", Verdict.UNKNOWN, "could not be shown")
    assert ignores.covering([entry()], unknown, "it", TODAY)[0]
    passed = Finding("no-setuid", Verdict.PASS, "holds none")
    assert ignores.covering([entry()], passed, "it", TODAY) == (None, [])


def test_evidence_without_a_path_is_accepted_by_no_path() -> None:
    finding = Finding("no-setuid", Verdict.FAIL, "holds", (Evidence("somewhere"),))
    assert ignores.covering([entry(path="*")], finding, "it", TODAY)[0] is None
    assert ignores.covering([entry()], finding, "it", TODAY)[0]


def test_an_entry_whose_time_is_over_says_since_when() -> None:
    finding = ignores.expired(entry(), date(2026, 6, 2))
    assert (finding.claim, finding.verdict) == ("ignore-expired", Verdict.FAIL)
    assert finding.evidence[0].text.endswith("over since 1 day")


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({"reason": ""}, "reason is missing"),
        ({"until": None}, "until is missing"),
        ({"until": "2027-01-31"}, "until is no date"),
        ({"claim": "no-shel"}, "there is no claim"),
        ({"imag": "x"}, "imag is not known"),
        ({"path": 3}, "are texts"),
    ],
)
def test_an_entry_that_is_not_whole_is_refused(given: dict[str, object], seen: str) -> None:
    with pytest.raises(CatalogError) as error:
        entry(**given)
    assert seen in error.value.seen


@pytest.mark.parametrize("given", ["no-shell", ["no-shell"], {"claim": "no-shell"}])
def test_a_list_of_something_else_is_refused(given: object) -> None:
    with pytest.raises(CatalogError):
        ignores.read(given, "stageproof.toml", KNOWN)


def test_settings_come_from_their_own_file_first(tmp_path: Path) -> None:
    assert settings.read(tmp_path, KNOWN) == settings.Settings()
    (tmp_path / "pyproject.toml").write_text('[tool.stageproof]\ncontract = "plain"\n', encoding="utf-8")
    assert settings.read(tmp_path, KNOWN).contract == "plain"
    text = 'sources = ["it:1"]\n[[ignore]]\nclaim = "no-shell"\nreason = "r"\nuntil = 2027-01-31\n'
    (tmp_path / "stageproof.toml").write_text(text, encoding="utf-8")
    read = settings.read(tmp_path, KNOWN)
    assert (read.contract, read.sources) == ("", ("it:1",))
    assert read.ignores == (Ignore("no-shell", "r", date(2027, 1, 31)),)


@pytest.mark.parametrize(
    "text", ["contrat = 'x'", "contract = 3", "sources = 'it'", "sources = [3]", "ignore = 3", "= 1"]
)
def test_settings_that_cannot_be_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "stageproof.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError):
        settings.read(tmp_path, KNOWN)


def test_a_pyproject_of_something_else_gives_no_settings(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nx = 1\n", encoding="utf-8")
    assert settings.read(tmp_path, KNOWN) == settings.Settings()
