"""A small service as the target, whole or broken in one way, and sessions for its images."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import docker
import docker.errors
import pytest

from stageproof import verify
from stageproof.checks.subject import Subject
from stageproof.engine import record
from stageproof.image import Image
from stageproof.live import Live, Run, remove_run
from stageproof.model import Claim, Finding, Limits

SERVICE = Path(__file__).parent / "service"
LIMITS = Limits(memory=128_000_000, pids=64, start_seconds=8)

NO_IMAGE = cast("Image", None)
"""Live checks do not look into the index of the image."""

Broken = Callable[..., str]
Session = Callable[[str], Live]
Decide = Callable[..., Finding]


@pytest.fixture(scope="session")
def helper_image(client: docker.DockerClient, root: Path) -> str:
    """Give the helper image of the last build."""
    image = os.environ.get("STAGEPROOF_HELPER_IMAGE") or record.read(root).helper
    try:
        return str(client.images.get(image).id) if image else pytest.skip("no helper image was built yet")
    except docker.errors.ImageNotFound:
        return pytest.skip("the helper image of the last build is in another engine")


@pytest.fixture(scope="session")
def run(client: docker.DockerClient) -> Iterator[Run]:
    """Give this worker's labels, and see to it that nothing of it is left."""
    run = Run.new()
    yield run
    assert remove_run(client, run.id) == [], "a test left a container behind"


@pytest.fixture(scope="session")
def service_image(client: docker.DockerClient, helper_image: str, run: Run) -> Iterator[str]:
    """Build the service; its labels make it this worker's own, so that no other removes it."""
    image, _ = client.images.build(path=str(SERVICE), buildargs={"BASE": helper_image}, labels=run.labels, rm=True)
    yield str(image.id)
    remove_image(client, str(image.id))


@pytest.fixture(scope="session")
def broken(client: docker.DockerClient, service_image: str) -> Iterator[Broken]:
    """Give the service with one thing broken, or with more instructions in its Dockerfile."""
    made: dict[tuple[str, ...], str] = {}

    def build(how: str = "", *instructions: str) -> str:
        if not how and not instructions:
            return service_image
        lines = (f"FROM {service_image}", *([f"ENV BROKEN={how}"] if how else []), *instructions)
        if lines not in made:
            image, _ = client.images.build(fileobj=io.BytesIO("\n".join(lines).encode()), rm=True)
            made[lines] = str(image.id)
        return made[lines]

    yield build
    for image in made.values():
        remove_image(client, image)


def remove_image(client: docker.DockerClient, image: str) -> None:
    """Remove an image; one without a name is gone already when the last image made from it is."""
    with contextlib.suppress(docker.errors.ImageNotFound):
        client.images.remove(image, force=True)


@pytest.fixture(scope="session")
def good(client: docker.DockerClient, run: Run, helper_image: str, service_image: str) -> Iterator[Live]:
    """Give one session of the whole service, for everything that it keeps: its containers are shared."""
    with Live(client, service_image, run=run, helper_image=helper_image, limits=LIMITS) as live:
        yield live


@pytest.fixture(scope="session")
def decide() -> Decide:
    """Decide a claim about what a session starts."""

    def decided(claim: str, live: Live | None, **parameters: object) -> Finding:
        return verify.decide(Claim(claim, parameters), Subject(NO_IMAGE, live=live))

    return decided


@pytest.fixture
def session(client: docker.DockerClient, run: Run, helper_image: str) -> Iterator[Session]:
    """Open sessions for images; they are closed when the test is over."""
    opened: list[Live] = []

    def open_(image: str) -> Live:
        opened.append(Live(client, image, run=run, helper_image=helper_image, limits=LIMITS))
        return opened[-1]

    yield open_
    for live in opened:
        live.close()
