"""What is remembered as proved, and what makes it be asked again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from stageproof import proofs
from stageproof.catalog import Catalog
from stageproof.engine import record
from stageproof.engine.record import Build, Record
from stageproof.model import Recipe

GREEN = {"pass": 300, "reported": 2, "not-applicable": 1}


@pytest.fixture
def recipe(project: Catalog) -> Recipe:
    """Give a recipe with siblings."""
    return next(each for each in project.recipes if each.name == "go-distroless")


@pytest.fixture
def builds(project: Catalog) -> Record:
    """Give a record in which everything is built."""
    images = {
        each.name: Build(
            f"sha256:{each.name}",
            seconds=1.0,
            cached=False,
            labels={"APP_COMMIT": "1"},
            bases={"a": "b"},
            stand_ins=(),
            unit_tests=True,
        )
        for each in project.recipes
    }
    return Record("engine", "sha256:helper", "/ca.pem", images)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a project with two files that decide."""
    for name in ("stageproof/checks/x.py", "dockerfiles/contracts/plain.toml", "apps/go/stack.toml", ".stageproof/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def key(folder: Path, recipe: Recipe, builds: Record, engine: str = "one 28.5") -> str:
    return proofs.keys(folder, [recipe], builds, engine)[recipe.name]


def rebuilt(builds: Record, name: str, **changes: object) -> Record:
    changed = dataclasses.replace(builds.images[name], **changes)  # type: ignore[arg-type]
    return dataclasses.replace(builds, images={**builds.images, name: changed})


def test_the_same_again_has_the_same_key(folder: Path, recipe: Recipe, builds: Record) -> None:
    slower = rebuilt(builds, "go-distroless", seconds=9.0, cached=True)
    assert key(folder, recipe, builds) == key(folder, recipe, slower)


@pytest.mark.parametrize(
    "change",
    [
        lambda builds: rebuilt(builds, "go-distroless", digest="sha256:other"),
        lambda builds: rebuilt(builds, "go-distroless", bases={"a": "c"}),
        lambda builds: rebuilt(builds, "go-distroless", unit_tests=False),
        lambda builds: rebuilt(builds, "go-debug", digest="sha256:other"),
        lambda builds: dataclasses.replace(builds, helper="sha256:other"),
        lambda builds: dataclasses.replace(builds, ca_bundle=""),
    ],
    ids=["the image", "its base", "its unit tests", "a sibling", "the helper", "the company's certificates"],
)
def test_another_build_has_another_key(
    folder: Path, recipe: Recipe, builds: Record, change: Callable[[Record], Record]
) -> None:
    assert key(folder, recipe, builds) != key(folder, recipe, change(builds))


def test_another_stack_has_no_say(folder: Path, recipe: Recipe, builds: Record) -> None:
    assert key(folder, recipe, builds) == key(folder, recipe, rebuilt(builds, "node-debug", digest="sha256:other"))


def test_another_engine_has_another_key(folder: Path, recipe: Recipe, builds: Record) -> None:
    assert key(folder, recipe, builds) != key(folder, recipe, builds, "one 29.0")


def test_another_day_has_another_key(
    folder: Path, recipe: Recipe, builds: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = key(folder, recipe, builds)
    monkeypatch.setattr(proofs, "_today", lambda: "2099-01-01")
    assert key(folder, recipe, builds) != before


@pytest.mark.parametrize("name", ["stageproof/checks/x.py", "dockerfiles/contracts/plain.toml", "apps/go/stack.toml"])
def test_another_word_in_a_file_that_decides_has_another_key(
    folder: Path, recipe: Recipe, builds: Record, name: str
) -> None:
    before = key(folder, recipe, builds)
    (folder / name).write_text("changed")
    assert key(folder, recipe, builds) != before


def test_what_holds_is_remembered_with_its_key_and_its_count(folder: Path) -> None:
    proofs.remember(folder, {"go-plain": "k"}, {"go-plain": GREEN})
    proof = proofs.read(folder)["go-plain"]
    assert (proof.key, proof.verdicts) == ("k", GREEN)


@pytest.mark.parametrize(
    "verdicts",
    [{}, {"go-plain": {}}, {"go-plain": {**GREEN, "fail": 1}}, {"go-plain": {**GREEN, "unknown": 1}}],
    ids=["it was not answered", "nothing was counted", "a claim failed", "a claim stayed unknown"],
)
def test_what_does_not_hold_is_forgotten(folder: Path, verdicts: dict[str, dict[str, int]]) -> None:
    proofs.remember(folder, {"go-plain": "k", "go-debug": "k"}, {"go-plain": GREEN, "go-debug": GREEN})
    proofs.remember(folder, {"go-plain": "k"}, verdicts)
    assert set(proofs.read(folder)) == {"go-debug"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', '{"schema": 9, "proofs": {}}'])
def test_a_file_that_cannot_be_read_is_nothing_remembered(folder: Path, text: str) -> None:
    (folder / record.FOLDER / "proofs.json").write_text(text)
    assert proofs.read(folder) == {}
