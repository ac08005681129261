"""Reading images from an engine: every way in which it can refuse or end is an error of ours, never a traceback."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import docker
import pytest

from stageproof.engine.home import Home
from stageproof.engine.images import Images, reach
from stageproof.errors import EngineDiedError, EngineError, ImageError


class Engine(socketserver.ThreadingUnixStreamServer):
    """Answers as an engine does; some names make it misbehave."""

    daemon_threads = True


class Handler(BaseHTTPRequestHandler):
    """Answers /images/NAME/json and /images/get."""

    def do_GET(self) -> None:
        if "none" in self.path:
            self.answer(404, {"message": "No such image: none"})
        elif "UPPER" in self.path:
            self.answer(400, {"message": "invalid reference format"})
        elif "broken" in self.path:
            self.answer(500, {"message": "input/output error"})
        elif "half" in self.path:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"only this")
        elif "silent" in self.path:
            self.close_connection = True
        elif self.path.endswith("/json"):
            self.answer(200, {"Id": "sha256:1"})
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"an archive")

    def answer(self, status: int, document: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def images(tmp_path: Path) -> Iterator[Images]:
    server = Engine(str(tmp_path / "engine.sock"), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    client = docker.DockerClient(base_url=f"unix://{tmp_path}/engine.sock", version="1.44")
    yield Images(client)
    client.close()
    server.shutdown()
    server.server_close()


def test_an_image_is_described_and_saved(images: Images) -> None:
    assert images.describe("it:1") == {"Id": "sha256:1"}
    assert b"".join(images.save(["it:1", "it:2"])) == b"an archive"


@pytest.mark.parametrize("name", ["none", "UPPER"])
def test_a_name_that_the_engine_has_not_is_an_error_of_the_image(images: Images, name: str) -> None:
    with pytest.raises(ImageError, match=name) as error:
        images.describe(name)
    assert f"docker pull {name}" in error.value.do
    with pytest.raises(ImageError):
        list(images.save([name]))


def test_a_refusal_is_an_error_of_the_engine_with_its_own_words(images: Images) -> None:
    with pytest.raises(EngineError, match="did not give the image") as error:
        images.describe("broken")
    assert "input/output error" in error.value.seen
    with pytest.raises(EngineError):
        list(images.save(["broken"]))


@pytest.mark.parametrize("name", ["half", "silent"])
def test_an_engine_that_ends_in_the_middle_is_told_as_that(images: Images, name: str) -> None:
    with pytest.raises(EngineDiedError):
        list(images.save([name]))


def test_an_engine_that_answers_is_opened_without_buildx(
    engine_of_version: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    host = engine_of_version("28.0.0")
    monkeypatch.setenv("DOCKER_HOST", host)
    monkeypatch.setenv("PATH", str(tmp_path))
    client = reach(home=Home(tmp_path / "home"), environment={"DOCKER_HOST": host})
    assert client.version()["Version"] == "28.0.0"
    client.close()


def test_an_engine_that_was_chosen_and_does_not_answer_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(EngineDiedError, match="DOCKER_HOST"):
        reach(home=Home(tmp_path / "home"), environment={"DOCKER_HOST": f"unix://{tmp_path}/nobody"})


def test_without_any_engine_none_is_made_only_to_read_an_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("stageproof.engine.find.DEFAULT_SOCKET", tmp_path / "docker.sock")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with pytest.raises(EngineError, match="no engine answers") as error:
        reach(home=Home(tmp_path / "home"), environment={})
    assert error.value.exit_code == 10
    assert "docker save IMAGE" in error.value.do
    assert not (tmp_path / "home").exists()
