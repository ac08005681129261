from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stageproof.engine import doctor, find, package_registries
from stageproof.engine.home import Home
from stageproof.engine.package_registries import Answer
from stageproof.report.doctor import lines

Program = Callable[[Path, str], Path]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A host with nothing on it: no engine, no programs, no network, no root."""
    monkeypatch.setattr(find, "DEFAULT_SOCKET", tmp_path / "default.sock")
    monkeypatch.setattr("stageproof.engine.buildx.SYSTEM_FOLDERS", ())
    monkeypatch.setattr(
        package_registries, "ask_all", lambda _: [Answer("apt", asked=True), Answer("npm", asked=False)]
    )
    monkeypatch.setattr(doctor, "_reachable", lambda _: frozenset())
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    return Home(tmp_path / "cache/engine")


def by_name(seen: list[doctor.Line], name: str) -> doctor.Line:
    return next(line for line in seen if line.name.startswith(name))


def test_an_engine_that_answers_makes_it_ready(
    home: Home,
    tmp_path: Path,
    engine_of_version: Callable[[str], str],
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine_of_version("28.5.2"))
    program(tmp_path / "bin/docker", 'echo "github.com/docker/buildx v0.29.1"')

    seen = doctor.examine(home=home)

    assert seen[-1].name == "ready"
    assert seen[-1].exit_code == 0
    assert by_name(seen, "engine").mark == doctor.GOOD
    assert by_name(seen, "private engine").do == "not needed"


def test_without_engine_and_root_it_is_not_ready_and_says_what_to_do(home: Home) -> None:
    seen = doctor.examine(home=home)

    assert seen[-1].name == "not ready"
    assert seen[-1].exit_code == 11
    assert "DOCKER_HOST" in seen[-1].do
    assert by_name(seen, "private engine").found == "it needs root, and this is uid 1000"


def test_an_old_engine_has_the_exit_code_that_a_build_would_have(
    home: Home, engine_of_version: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine_of_version("20.10.24"))

    assert doctor.examine(home=home)[-1].exit_code == 14


def test_a_registry_that_does_not_answer_means_stand_ins(home: Home) -> None:
    line = by_name(doctor.examine(["gcr.io/distroless/static-debian13:nonroot"], home), "container registries")

    assert "stand-ins" in line.found


def test_a_client_that_is_not_here_is_not_reported_as_an_outage(home: Home) -> None:
    line = by_name(doctor.examine(home=home), "package registries")

    assert line.mark == doctor.GOOD
    assert line.found == "apt answer; npm: no client here, not asked"


def test_a_missing_cli_is_no_failure(home: Home) -> None:
    assert by_name(doctor.examine(home=home), "Docker CLI").mark == doctor.NONE


def test_the_report_ends_with_what_to_type(home: Home) -> None:
    text = lines(doctor.examine(home=home))

    assert text[-1].startswith("  not ready: ")
    assert all(line[0] in "✔✘–" for line in text[:-1])
