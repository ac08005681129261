"""What is missing is made, once, with what it needs, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stageproof.catalog import Catalog
from stageproof.engine import standin
from stageproof.engine.client import Engine
from stageproof.engine.standin.building import Workshop
from stageproof.engine.standin.composition import Composition
from stageproof.errors import BaseError
from stageproof.model import StandIn

ENGINE = Engine("private", "unix:///nowhere", "28", "1.51", ("buildx",), "classic")


class Shelf:
    """Stands for the engine's images and for the makers that fill it."""

    def __init__(self) -> None:
        self.images: set[str] = set()
        self.made: list[str] = []
        self.broken = ""
        self._lock = threading.Lock()

    def present(self, _: Engine, wanted: Mapping[str, Composition]) -> dict[str, str]:
        images = {reference: composition.image(reference) for reference, composition in wanted.items()}
        return {reference: f"id of {image}" for reference, image in images.items() if image in self.images}

    def step(self, _: Workshop, known: Mapping[str, Composition], missing: Mapping[str, Sequence[str]]) -> None:
        with self._lock:
            for name, references in missing.items():
                if name == self.broken:
                    failed = f"the stand-in of {name} could not be built"
                    raise BaseError(failed)
                self.made.append(name)
                self.images |= {known[name].image(reference) for reference in references}


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    made = Shelf()
    monkeypatch.setattr(standin, "_present", made.present)
    monkeypatch.setattr(standin, "_step", made.step)
    return made


def _ensure(project: Catalog, cache: Path, *only: str) -> dict[str, StandIn]:
    return standin.ensure(
        project.bases, ENGINE, ca_bundle=None, cache=cache, progress=lambda _: None, only=only or None
    )


def test_all_are_made_from_nothing_each_after_what_it_needs(shelf: Shelf, project: Catalog, tmp_path: Path) -> None:
    result = _ensure(project, tmp_path)

    assert set(result) == {reference for base in project.bases for reference in base.references}
    assert all(each.made_now for each in result.values())
    assert sorted(shelf.made) == sorted(base.name for base in project.bases)
    assert shelf.made.index("debian") < shelf.made.index("python") < shelf.made.index("node")
    assert shelf.made.index("node") < shelf.made.index("distroless-nodejs26")
    assert shelf.made.index("debian") < shelf.made.index("distroless-static")


def test_the_second_time_nothing_is_made(shelf: Shelf, project: Catalog, tmp_path: Path) -> None:
    _ensure(project, tmp_path)
    shelf.made.clear()

    result = _ensure(project, tmp_path)

    assert shelf.made == []
    assert not any(each.made_now for each in result.values())


def test_only_what_was_asked_for_is_made_with_what_it_needs(shelf: Shelf, project: Catalog, tmp_path: Path) -> None:
    result = _ensure(project, tmp_path, "gcr.io/distroless/cc-debian13:nonroot")

    assert list(result) == ["gcr.io/distroless/cc-debian13:nonroot"]
    assert shelf.made == ["debian", "distroless-cc"], "its parents are composed again, in no time, and not kept"


def test_what_a_present_stand_in_needed_is_not_made_again(shelf: Shelf, project: Catalog, tmp_path: Path) -> None:
    _ensure(project, tmp_path)
    shelf.images = {image for image in shelf.images if "/debian:" not in image and "/python:" not in image}
    shelf.made.clear()

    _ensure(project, tmp_path, "node:26-trixie-slim", "golang:1.27-trixie")

    assert shelf.made == []


def test_what_is_made_after_a_failure_is_only_what_is_missing(shelf: Shelf, project: Catalog, tmp_path: Path) -> None:
    shelf.broken = "python"
    with pytest.raises(BaseError, match="the stand-in of python could not be built"):
        _ensure(project, tmp_path, "node:26-trixie-slim")
    assert "node" not in shelf.made
    shelf.broken = ""
    shelf.made.clear()

    _ensure(project, tmp_path, "node:26-trixie-slim")

    assert shelf.made == ["python", "node"]


def test_two_runs_at_once_make_everything_once(shelf: Shelf, project: Catalog, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(_ensure, project, tmp_path) for _ in range(2)]
        results = [run.result() for run in runs]

    assert sorted(shelf.made) == sorted(base.name for base in project.bases)
    assert {name: each.image for name, each in results[0].items()} == {
        name: each.image for name, each in results[1].items()
    }
