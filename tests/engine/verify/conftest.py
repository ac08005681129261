"""A small service that is whole, built on the helper image, so that nothing has to be pulled."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors
import pytest

from stageproof import cli, helper
from stageproof.engine import find
from stageproof.errors import HelperError
from stageproof.live import Run, remove_run

SERVICE = """\
import http.server, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\\n")
    def log_message(self, *_): pass
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""
DOCKERFILE = """\
FROM {base}
COPY app.py /app/app.py
EXPOSE 8080
USER 65532:65532
WORKDIR /app
ENTRYPOINT ["python3", "-u", "/app/app.py"]
"""


@dataclass(frozen=True)
class Told:
    """What a command said."""

    code: int
    out: str
    err: str


Command = Callable[..., Told]


@pytest.fixture(scope="session")
def run(client: docker.DockerClient) -> Iterator[Run]:
    """Give this worker's labels, and see to it that nothing of it is left."""
    run = Run.new()
    yield run
    assert remove_run(client, run.id) == [], "a test left a container behind"


@pytest.fixture(scope="session")
def helper_image(client: docker.DockerClient, run: Run) -> str:
    """Give the helper image of this version."""
    try:
        return helper.ensure(client, lambda: find.ensure(lambda _: None), run)
    except HelperError as error:
        return pytest.skip(f"no helper image: {error}")


@pytest.fixture(scope="session")
def service(
    client: docker.DockerClient, helper_image: str, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Build the service; its labels make it this worker's own."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "app.py").write_text(SERVICE, encoding="utf-8")
    (folder / "Dockerfile").write_text(DOCKERFILE.format(base=helper_image), encoding="utf-8")
    image, _ = client.images.build(path=str(folder), labels=run.labels, rm=True)
    yield str(image.id)
    remove_image(client, str(image.id))


@pytest.fixture(scope="session")
def rooted(client: docker.DockerClient, service: str) -> Iterator[str]:
    """Build the service as root."""
    text = f"FROM {service}\nUSER root\n"
    image, _ = client.images.build(fileobj=io.BytesIO(text.encode()), rm=True)
    yield str(image.id)
    remove_image(client, str(image.id))


def remove_image(client: docker.DockerClient, image: str) -> None:
    """Remove an image; one without a name is gone already when the last image made from it is."""
    with contextlib.suppress(docker.errors.ImageNotFound):
        client.images.remove(image, force=True)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run `stageproof` with arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["stageproof", *arguments])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        return Told(code, told.out, told.err)

    return call
