"""Findings are remembered under everything that they rest on, and only where all was decided."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stageproof import decided, dockerfile
from stageproof.contract import Contract
from stageproof.image.store import Store
from stageproof.model import Claim, Evidence, Finding, Verdict
from stageproof.verify import Judged, Verified

IDS = ["sha256:1", ""]
CONTRACT = Contract("any-image", "Any image", (Claim("no-shell"), Claim("size-budget", {"disk": 80})))
GIVEN: Mapping[str, Any] = {"ids": IDS, "name": "app:1", "contract": CONTRACT, "wanted": "", "file": None}


def verified(verdict: Verdict, path: str = "/bin/sh") -> Verified:
    seen = Evidence("a shell", path, 5, 1, "COPY", "app", 3)
    finding = Finding("no-shell", verdict, "contains a shell", (seen,), "remove it")
    return Verified("app:1", "sha256:1", "linux/amd64", "any-image", 3, 100, (Judged(finding, reported=True),))


@pytest.mark.parametrize(
    "other",
    [
        {"ids": ["sha256:2", ""]},
        {"ids": ["sha256:1", "sha256:3"]},
        {"name": "app:2"},
        {"contract": Contract("mine", "Any image", CONTRACT.claims)},
        {"contract": Contract("any-image", "Any image", (Claim("no-shell"), Claim("size-budget", {"disk": 81})))},
        {"wanted": "linux/arm64"},
        {"file": dockerfile.parse("FROM scratch\nCOPY app /app\n")},
        {"file": dockerfile.parse("FROM scratch\nCOPY app /app\n", ignored="*\n")},
    ],
)
def test_something_else_is_asked_anew(other: Mapping[str, Any]) -> None:
    assert decided.key(**{**GIVEN, **other}) != decided.key(**GIVEN)


def test_the_same_is_found_again() -> None:
    assert decided.key(**GIVEN) == decided.key(**GIVEN)


@pytest.mark.parametrize("part", ["deciding", "today"])
def test_another_day_and_another_version_ask_anew(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = decided.key(**GIVEN)
    monkeypatch.setattr(decided, part, lambda: "another")
    assert decided.key(**GIVEN) != before


def test_every_file_of_the_package_counts_and_byte_code_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decided, "_PACKAGE", tmp_path)

    def digest() -> str:
        decided.deciding.cache_clear()
        return decided.deciding()

    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "a.py").write_text("1")
    first = digest()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("1")
    assert digest() == first
    (tmp_path / "checks" / "a.py").write_text("2")
    second = digest()
    (tmp_path / "checks" / "b.toml").write_text("2")
    assert len({first, second, digest()}) == 3
    decided.deciding.cache_clear()


def test_findings_come_back_as_they_were(tmp_path: Path) -> None:
    before = verified(Verdict.FAIL)
    decided.remember(Store(tmp_path), "key", before)
    assert decided.recall(Store(tmp_path), "key") == before
    assert decided.recall(Store(tmp_path), "another key") is None


@pytest.mark.parametrize("open_one", [verified(Verdict.UNKNOWN), verified(Verdict.FAIL, "/bin/\udcff")])
def test_what_is_unknown_or_cannot_be_written_is_not_remembered(tmp_path: Path, open_one: Verified) -> None:
    decided.remember(Store(tmp_path), "key", open_one)
    assert decided.recall(Store(tmp_path), "key") is None


def test_a_broken_file_counts_as_absent(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.remember_findings("key", b'{"source": 5}')
    assert decided.recall(store, "key") is None
    decided.remember(store, "key", verified(Verdict.PASS))
    (path,) = tmp_path.glob("*/findings/key")
    path.write_bytes(path.read_bytes()[:-5])
    assert decided.recall(store, "key") is None
