from __future__ import annotations

import gc
import socket
import warnings
from pathlib import Path
from typing import Any

import pytest

from stageproof.engine import client
from stageproof.engine.client import Answer, Engine, number, product_of, require_new, store_of
from stageproof.errors import EngineTooOldError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20.10.24+dfsg1", (20, 10, 24)),
        ("28.5.2", (28, 5, 2)),
        ("v0.29.1", (0, 29, 1)),
        ("0.13.1+ds1-1", (0, 13, 1)),
        ("dev", None),
    ],
)
def test_a_versions_leading_numbers_are_read(text: str, expected: tuple[int, ...] | None) -> None:
    assert number(text) == expected


@pytest.mark.parametrize("version", ["23.0.0", "26.1.5+dfsg1", "29.0.0-rc.1", "dev"])
def test_an_engine_from_23_on_is_taken(version: str) -> None:
    require_new(Answer(version, "1.44", "classic", "Engine"), "here")


@pytest.mark.parametrize("version", ["20.10.24+dfsg1", "22.06.0-beta.0"])
def test_an_older_engine_is_refused_with_its_version(version: str) -> None:
    with pytest.raises(EngineTooOldError) as caught:
        require_new(Answer(version, "1.41", "classic", "Engine"), "here")

    assert version in caught.value.seen
    assert caught.value.exit_code == 14


def test_podman_is_refused_by_name() -> None:
    product = product_of({"Components": [{"Name": "Podman Engine"}, {"Name": "Conmon"}]})

    with pytest.raises(EngineTooOldError, match="cannot be used") as caught:
        require_new(Answer("99.0.0", "1.41", "classic", product), "here")

    assert "Podman" in caught.value.seen


def test_the_containerd_store_is_told_by_its_driver_type() -> None:
    assert store_of({"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}) == "containerd"
    assert store_of({"DriverStatus": [["Backing Filesystem", "extfs"]]}) == "classic"
    assert store_of({"DriverStatus": None}) == "classic"


def test_the_private_engines_environment_points_the_cli_there_and_keeps_the_users_builder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("BUILDX_BUILDER", "mine")

    environment = Engine("private", "unix:///s", "28", "1.51", ("buildx",), "classic").environment()

    assert environment["DOCKER_HOST"] == "unix:///s"
    assert environment["BUILDX_BUILDER"] == "mine"
    assert not {"DOCKER_CONTEXT", "DOCKER_TLS_VERIFY"} & set(environment)


def test_a_found_engines_environment_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")

    environment = Engine("context", "tcp://h:1", "28", "1.51", ("buildx",), "classic", "elsewhere").environment()

    assert environment["DOCKER_CONTEXT"] == "elsewhere"


def test_an_engine_that_ends_between_knock_and_question_leaves_no_socket_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "s"))
    server.listen(1)
    connect = client.connect

    def connect_too_late(*given: Any, **options: Any) -> Any:
        server.close()
        return connect(*given, **options)

    monkeypatch.setattr(client, "connect", connect_too_late)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(OSError, match="Connection refused"):
            client.ask("private", f"unix://{tmp_path}/s")
        gc.collect()
    assert [each for each in said if each.category is ResourceWarning] == []
