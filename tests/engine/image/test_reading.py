"""What a real engine gives is read as it is, once, and is the same as what it saves to a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from stageproof.engine.images import Images
from stageproof.errors import ImageError
from stageproof.image import sources
from stageproof.image.traffic import Traffic
from tests.unit.conftest import file, folder, link, tar

MARK = f"stageproof-reading-{os.getpid()}"


def imported(client: docker.DockerClient, name: str, data: bytes) -> str:
    """Make an image of one layer, and give its id."""
    client.api.import_image_from_data(data, repository=f"{MARK}-{name}", tag="1")
    return str(client.images.get(f"{MARK}-{name}:1").id)


@pytest.fixture
def two(client: docker.DockerClient) -> Iterator[list[str]]:
    """Give the ids of two images with one layer each."""
    first = tar([folder("bin"), file("bin/x", b"#!/bin/sh\n", 0o4755, 7, 8), link("l", "bin/x")])
    names = ["one", "two"]
    try:
        yield [imported(client, "one", first), imported(client, "two", tar([file("y", b"y" * 3000)]))]
    finally:
        for name in names:
            client.images.remove(f"{MARK}-{name}:1")


def test_images_of_an_engine_are_read_in_one_save_and_never_again(
    client: docker.DockerClient, two: list[str], tmp_path: Path
) -> None:
    first, second = Traffic(), Traffic()
    found = sources.read(two, cache=tmp_path, engine=lambda: Images(client), traffic=first)
    again = sources.read(two, cache=tmp_path, engine=lambda: Images(client), traffic=second)
    assert first.saved == [tuple(two)]
    assert set(first.indexed.values()) == {1}
    assert (second.saved, second.layer_bytes) == ([], 0)
    entry = found[two[0]][0].find("/bin/x")
    assert entry
    assert (entry.mode, entry.uid, entry.gid, entry.facts.interpreter) == (0o4755, 7, 8, "/bin/sh")
    assert [image.tree for images in again.values() for image in images] == [
        image.tree for images in found.values() for image in images
    ]


def test_a_name_an_id_and_a_saved_file_are_the_same_image(
    client: docker.DockerClient, two: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "saved.tar"
    path.write_bytes(b"".join(client.images.get(two[0]).save(named=True)))
    asked = [two[0], f"{MARK}-one:1", str(path)]
    traffic = Traffic()
    found = sources.read(asked, cache=tmp_path / "cache", engine=lambda: Images(client), traffic=traffic)
    images = [found[source][0] for source in asked]
    assert {image.id for image in images} == {two[0]}
    assert all(image.tree == images[0].tree for image in images)
    assert images[2].source.endswith(f"{MARK}-one:1")
    assert sum(traffic.indexed.values()) == 1


def test_a_name_that_the_engine_does_not_have_is_told(client: docker.DockerClient, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="stageproof-nothing-of-the-kind"):
        sources.read(["stageproof-nothing-of-the-kind"], cache=tmp_path, engine=lambda: Images(client))


def test_a_platform_that_the_engine_does_not_have_is_told(
    client: docker.DockerClient, two: list[str], tmp_path: Path
) -> None:
    with pytest.raises(ImageError, match="not there for linux/s390x"):
        sources.read(two[:1], cache=tmp_path, engine=lambda: Images(client), platform="linux/s390x")
