from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stageproof.engine import find, private
from stageproof.engine.home import Home
from stageproof.errors import (
    BuildxMissingError,
    DockerCliError,
    EngineDiedError,
    EngineTooOldError,
    NoAptError,
    NotRootError,
)

Program = Callable[[Path, str], Path]
Start = Callable[[str], str]
NEW_BUILDX = 'echo "github.com/docker/buildx v0.29.1 abc"'


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("h") / "cache/engine")  # short: a socket's path may not be longer


@pytest.fixture(autouse=True)
def nothing_of_this_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine, no settings, no programs of the machine that runs the tests."""
    monkeypatch.setattr(find, "DEFAULT_SOCKET", tmp_path / "default.sock")
    monkeypatch.setattr("stageproof.engine.buildx.SYSTEM_FOLDERS", ())
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)


def context_of(tmp_path: Path, name: str, host: str) -> None:
    """Write a context as `docker context create` does."""
    folder = tmp_path / "docker/contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
    (folder / "meta.json").write_text(json.dumps(meta))


def test_docker_host_is_taken_before_a_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://h:1")
    monkeypatch.setenv("DOCKER_CONTEXT", "other")

    assert find.place().kind == "docker-host"


def test_the_current_context_of_the_cli_is_taken(
    tmp_path: Path, engine_of_version: Start, program: Program, home: Home
) -> None:
    host = engine_of_version("28.5.2")
    context_of(tmp_path, "mine", host)
    (tmp_path / "docker/config.json").write_text(json.dumps({"currentContext": "mine"}))
    program(tmp_path / "bin/docker", NEW_BUILDX)

    engine = find.find(home)

    assert engine is not None
    assert (engine.kind, engine.host, engine.context) == ("context", host, "mine")


def test_a_context_that_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")

    with pytest.raises(EngineDiedError, match="context gone"):
        find.find(home)


def test_an_engine_at_docker_host_is_used_with_the_clis_buildx(
    tmp_path: Path, engine_of_version: Start, program: Program, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    host = engine_of_version("23.0.1")
    monkeypatch.setenv("DOCKER_HOST", host)
    bin_folder = program(tmp_path / "bin/docker", NEW_BUILDX)

    engine = find.ensure(home=home)

    assert engine.version == "23.0.1"
    assert engine.buildx == (str(bin_folder / "docker"), "buildx")


def test_a_dead_docker_host_is_an_error_and_nothing_else_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")

    with pytest.raises(EngineDiedError, match="no engine answers at DOCKER_HOST"):
        find.ensure(home=home)

    assert not home.folder.exists()


def test_an_old_engine_at_docker_host_is_an_error(
    engine_of_version: Start, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine_of_version("20.10.24+dfsg1"))

    with pytest.raises(EngineTooOldError) as caught:
        find.ensure(home=home)

    assert "20.10.24" in caught.value.seen
    assert caught.value.exit_code == 14


def test_an_old_engine_at_the_default_socket_gives_way_to_the_private_one(
    engine_of_version: Start, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    monkeypatch.setattr(find, "DEFAULT_SOCKET", Path(engine_of_version("20.10.24").removeprefix("unix://")))
    monkeypatch.setattr(private, "start", lambda *_, **__: "the private one")
    said: list[str] = []

    assert find.ensure(said.append, home) == "the private one"  # type: ignore[comparison-overlap]
    assert "20.10.24" in said[0]


def test_an_old_engine_at_the_default_socket_is_named_where_no_other_can_be_had(
    engine_of_version: Start, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    monkeypatch.setattr(find, "DEFAULT_SOCKET", Path(engine_of_version("20.10.24").removeprefix("unix://")))
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    with pytest.raises(EngineTooOldError):
        find.ensure(home=home)


def test_without_root_the_error_says_all_that_was_looked_for(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    with pytest.raises(NotRootError) as caught:
        find.ensure(home=home)

    for part in ("DOCKER_HOST is not set", "default socket", "no such socket", "uid 1000"):
        assert part in caught.value.seen


def test_without_apt_the_error_is_that(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)

    with pytest.raises(NoAptError) as caught:
        find.ensure(home=home)

    assert "apt-get is not in PATH" in caught.value.seen


def test_a_cli_without_buildx_is_an_error_where_none_can_be_made(
    tmp_path: Path, engine_of_version: Start, program: Program, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine_of_version("28.5.2"))
    program(tmp_path / "bin/docker", "echo \"docker: 'buildx' is not a docker command.\" >&2; exit 1")

    with pytest.raises(BuildxMissingError) as caught:
        find.ensure(home=home)

    assert caught.value.exit_code == 15


def test_no_cli_at_all_is_another_error(engine_of_version: Start, monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine_of_version("28.5.2"))

    with pytest.raises(DockerCliError) as caught:
        find.ensure(home=home)

    assert caught.value.exit_code == 18


def test_no_cli_is_needed_where_the_private_engines_buildx_is(
    engine_of_version: Start, program: Program, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine_of_version("28.5.2"))
    program(home.buildx, NEW_BUILDX)

    assert find.ensure(home=home).buildx == (str(home.buildx),)


def test_an_old_buildx_is_an_error_with_its_version(
    tmp_path: Path, engine_of_version: Start, program: Program, monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine_of_version("28.5.2"))
    program(tmp_path / "bin/docker", 'echo "github.com/docker/buildx v0.9.1 ed00243"')

    with pytest.raises(EngineTooOldError) as caught:
        find.ensure(home=home)

    assert "v0.9.1" in caught.value.seen
