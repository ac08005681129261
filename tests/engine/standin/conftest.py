"""The stand-ins, made once for all tests of this folder, and ways to look at them and to build on them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import docker
import pytest

from stageproof.catalog import Catalog
from stageproof.engine import ca, standin
from stageproof.engine.client import Engine
from stageproof.model import StandIn


@dataclass(frozen=True)
class SavedImage:
    """An image as `docker save` gives it: the configuration, and all files with the layers put together."""

    config: Mapping[str, Any]
    members: Mapping[str, tarfile.TarInfo]
    contents: Mapping[str, bytes] = field(repr=False)
    layers: tuple[tuple[str, ...], ...] = field(repr=False)
    """The paths of each layer, in the order of the layers."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the image sets for its containers."""
        settings: Mapping[str, Any] = self.config["config"]
        return settings

    def text(self, path: str) -> str:
        """Give a file's text."""
        return self.contents[path].decode()


def _read(archive: bytes) -> SavedImage:
    members: dict[str, tarfile.TarInfo] = {}
    contents: dict[str, bytes] = {}
    layers = []
    with tarfile.open(fileobj=io.BytesIO(archive)) as outer:
        ((manifest),) = json.loads(_bytes(outer, "manifest.json"))
        for name in manifest["Layers"]:
            with tarfile.open(fileobj=io.BytesIO(_bytes(outer, name))) as layer:
                paths = []
                for member in layer:
                    path = "/" + member.name.removeprefix("./").strip("./")
                    paths.append(path)
                    members[path] = member
                    stream = layer.extractfile(member) if member.isreg() else None
                    contents[path] = stream.read() if stream else b""
            layers.append(tuple(paths))
        return SavedImage(json.loads(_bytes(outer, manifest["Config"])), members, contents, tuple(layers))


def _bytes(tar: tarfile.TarFile, name: str) -> bytes:
    stream = tar.extractfile(name)
    assert stream is not None, f"{name} is no file"
    return stream.read()


@pytest.fixture(scope="session")
def stand_ins(project: Catalog, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, StandIn]:
    """Give the stand-ins of all references; those that are there already are taken."""
    company = ca.find()
    return standin.ensure(
        project.bases,
        engine,
        ca_bundle=company.bundle if company else None,
        cache=tmp_path_factory.mktemp("stand-ins"),
        progress=lambda _: None,
    )


@pytest.fixture(scope="session")
def saved(stand_ins: Mapping[str, StandIn], client: docker.DockerClient) -> Callable[[str], SavedImage]:
    """Give a way to read the stand-in of a reference."""

    @cache
    def read(reference: str) -> SavedImage:
        return _read(b"".join(client.images.get(stand_ins[reference].image).save(named=True)))

    return read


@dataclass(frozen=True)
class Answer:
    """What a build or a container came to."""

    code: int
    output: str


class Bench:
    """Builds Dockerfiles on the stand-ins, runs what came out, and takes it away again."""

    def __init__(self, engine: Engine, client: docker.DockerClient, contexts: Mapping[str, str], folder: Path) -> None:
        self._engine = engine
        self._client = client
        self._contexts = contexts
        self.folder = folder
        self._images: list[str] = []

    def build(self, dockerfile: str) -> Answer:
        """Build in the test's folder; the image is then what `run` runs."""
        name = f"stageproof-test/{self.folder.name.lower()}-{os.getpid()}-{len(self._images)}"
        (self.folder / "Dockerfile").write_text(dockerfile)
        options = [f"--build-context={reference}={image}" for reference, image in self._contexts.items()]
        done = subprocess.run(
            [*self._engine.buildx, "build", "--progress=plain", f"--tag={name}", *options, str(self.folder)],
            env=self._engine.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            self._images.append(name)
        return Answer(done.returncode, done.stdout + done.stderr)

    def run(self, *arguments: str, dockerfile: str = "", **options: Any) -> Answer:
        """Run the image of `dockerfile`, or else the one built last, to its end."""
        if dockerfile:
            built = self.build(dockerfile)
            assert built.code == 0, built.output
        container = self._client.containers.create(
            self._images[-1], list(arguments) or None, network_disabled=True, **options
        )
        try:
            try:
                container.start()
            except docker.errors.APIError as error:
                return Answer(127, str(error.explanation))
            code = int(container.wait(timeout=60)["StatusCode"])
            return Answer(code, container.logs().decode())
        finally:
            container.remove(force=True)

    def clear(self) -> None:
        """Remove the images."""
        for image in self._images:
            self._client.images.remove(image, force=True)


@pytest.fixture
def bench(
    stand_ins: Mapping[str, StandIn], engine: Engine, client: docker.DockerClient, tmp_path: Path
) -> Iterator[Bench]:
    """Give a bench in a folder of the test's own."""
    contexts = {reference: f"docker-image://{each.image}" for reference, each in stand_ins.items()}
    made = Bench(engine, client, contexts, tmp_path)
    yield made
    made.clear()
