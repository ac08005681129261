"""Hosts on containers: Debian through testinfra's own docker backend, Debian through ours, and one without a shell."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest
import testinfra
from testinfra.host import Host

from stageproof.engine import record
from stageproof.engine.client import Engine
from stageproof.errors import NothingBuiltError
from stageproof.live import Container, Options, Run, remove_run
from stageproof.live.container import start
from stageproof.live.wait import until
from stageproof.testinfra import opened
from tests.engine.testinfra.content import archive, packed

Started = Callable[..., Container]
RECIPES = {"debian": "go-plain", "bare": "go-distroless"}
PLAIN = Options(tmpfs={"/scratch": "rw,size=1m"})


@pytest.fixture(scope="session")
def run(client: docker.DockerClient) -> Iterator[Run]:
    """Give this worker's labels, and see to it that nothing of it is left."""
    run = Run.new()
    yield run
    assert remove_run(client, run.id) == [], "a test left a container behind"


@pytest.fixture(scope="session")
def image_of(root: Path, client: docker.DockerClient) -> Callable[[str], str]:
    """Give the id of a built recipe."""
    kept, engine = record.read(root), str(client.info()["ID"])

    def digest(recipe: str) -> str:
        try:
            return record.require(kept, recipe, engine).digest
        except NothingBuiltError as error:
            return pytest.skip(str(error))

    return digest


@pytest.fixture(scope="session", autouse=True)
def _reached(engine: Engine) -> Iterator[None]:
    """Let the docker CLI, which testinfra's own backend runs, reach the same engine; and close what hosts opened."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in engine.environment().items():
            if name.startswith("DOCKER_"):
                patch.setenv(name, value)
        yield
    opened.close()


@pytest.fixture(scope="session")
def targets(
    client: docker.DockerClient, run: Run, image_of: Callable[[str], str], busybox: bytes
) -> Iterator[dict[str, Container]]:
    """Start both targets, with the same files in them."""
    with (
        start(client, image_of(RECIPES["debian"]), run, PLAIN) as debian,
        start(client, image_of(RECIPES["bare"]), run, PLAIN) as bare,
    ):
        client.api.put_archive(debian.id, "/", archive(netstat=busybox))
        client.api.put_archive(bare.id, "/", archive())
        yield {"debian": debian, "bare": bare}
        opened.close()


@pytest.fixture(scope="session")
def busybox(client: docker.DockerClient, run: Run, image_of: Callable[[str], str]) -> bytes:
    """Give a static program that can be netstat, which the Debian image lacks."""
    return _file_of(client, run, image_of("go-debug"), "/busybox/busybox")


@pytest.fixture(scope="session")
def scratch_image(client: docker.DockerClient, run: Run, image_of: Callable[[str], str]) -> Iterator[str]:
    """Give an image that holds one static program, and nothing else."""
    program = _file_of(client, run, image_of("go-distroless"), "/app/qr")
    changes = ["USER 65532", "EXPOSE 8080", 'ENTRYPOINT ["/qr"]', f"LABEL dev.stageproof.test={run.id}"]
    told = client.api.import_image_from_data(packed({"qr": program}, mode=0o755), changes=changes)
    image = json.loads(told.splitlines()[-1])["status"]
    yield image
    client.images.remove(image, force=True)


def _file_of(client: docker.DockerClient, run: Run, image: str, path: str) -> bytes:
    container = client.containers.create(image, labels=run.labels)
    try:
        pieces, _ = container.get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as tar:
            member = tar.extractfile(path.rpartition("/")[2])
            assert member
            return member.read()
    finally:
        container.remove(force=True)


ADDRESSES = {
    "testinfra's docker backend on Debian": ("docker", "debian"),
    "our backend on Debian": ("stageproof", "debian"),
    "our backend without a shell": ("stageproof", "bare"),
}


@pytest.fixture(params=ADDRESSES, scope="session")
def host(request: pytest.FixtureRequest, targets: dict[str, Container]) -> Host:
    """Give each host in turn, as the user of the container."""
    return _host(*ADDRESSES[request.param], targets)


@pytest.fixture(params=ADDRESSES, scope="session")
def root_host(request: pytest.FixtureRequest, targets: dict[str, Container]) -> Host:
    """Give each host in turn, as root."""
    return _host(*ADDRESSES[request.param], targets, user="root@")


@pytest.fixture(scope="session")
def bare(targets: dict[str, Container]) -> Host:
    """Give the host on the container without a shell."""
    return _host("stageproof", "bare", targets)


@pytest.fixture(scope="session")
def debian(targets: dict[str, Container]) -> Host:
    """Give our host on Debian."""
    return _host("stageproof", "debian", targets)


def _host(scheme: str, target: str, targets: dict[str, Container], user: str = "") -> Host:
    if scheme == "docker" and not shutil.which("docker"):
        pytest.skip("testinfra's own backend runs the docker CLI, which is not here")
    return testinfra.get_host(f"{scheme}://{user}{targets[target].name}")


@pytest.fixture
def started(client: docker.DockerClient, run: Run, image_of: Callable[[str], str]) -> Iterator[Started]:
    """Start the image without a shell, as asked; it is removed when the test is over."""
    containers: list[Container] = []

    def start_(recipe: str = "go-distroless", **options: object) -> Container:
        given = replace(Options(), **options)  # type: ignore[arg-type]
        containers.append(start(client, image_of(recipe), run, given))
        return containers[-1]

    yield start_
    for container in containers:
        container.remove()


@pytest.fixture
def python_target(client: docker.DockerClient, run: Run, root: Path) -> Iterator[Callable[[str], Container]]:
    """Start a Python program in the helper's image, and wait until it has said that it is ready."""
    image = os.environ.get(opened.HELPER_VARIABLE) or record.read(root).helper
    containers: list[Container] = []

    def start_(source: str) -> Container:
        created = client.containers.create(
            image,
            entrypoint=["python3", "-u", "-c", source],
            network_mode="none",
            labels=run.labels,
            name=run.new_name(),
        )
        created.start()
        container = Container(client, str(created.id), str(created.name), image)
        containers.append(container)
        assert until(lambda: b"ready" in container.output(), 10), container.last_lines()
        return container

    yield start_
    for container in containers:
        container.remove()
