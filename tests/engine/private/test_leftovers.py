"""`invoke clean`: what is ours goes, and nothing else."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

from docker import DockerClient

from stageproof.engine import leftovers, private
from stageproof.engine.home import Home
from stageproof.live.run import Run


def an_image(client: DockerClient, tag: str) -> None:
    """Load an image with one file."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        entry = tarfile.TarInfo("here")
        entry.size = len(tag)
        archive.addfile(entry, io.BytesIO(tag.encode()))
    repository, _, name = tag.partition(":")
    client.api.import_image_from_data(data.getvalue(), repository, name, changes=['CMD ["/here"]'])


def test_ours_is_removed_and_everything_else_stays(new_home: Callable[[], Home]) -> None:
    engine = private.start(home=new_home())
    client = engine.connect()
    try:
        for tag in ("stageproof/test:1", "somebody/else:1", "notstageproof/x:1"):
            an_image(client, tag)
        labels = Run.new().labels
        client.api.create_container("somebody/else:1", name="theirs")
        client.api.create_container("stageproof/test:1", name="ours", labels=labels)
        for name, given in (("ours", labels), ("theirs", {})):
            client.networks.create(name, labels=given)
            client.volumes.create(name, labels=given)
        told = list(leftovers.remove(client))
        assert told == ["container ours", "network ours", "volume ours", "image stageproof/test:1"]
        assert [container.name for container in client.containers.list(all=True)] == ["theirs"]
        assert {network.name for network in client.networks.list()} == {"bridge", "host", "none", "theirs"}
        assert [volume.name for volume in client.volumes.list()] == ["theirs"]
        assert {tag for image in client.images.list() for tag in image.tags} == {"somebody/else:1", "notstageproof/x:1"}
    finally:
        client.close()


def test_an_image_that_somebody_uses_stays_and_is_told(new_home: Callable[[], Home]) -> None:
    engine = private.start(home=new_home())
    client = engine.connect()
    try:
        an_image(client, "stageproof/test:1")
        client.api.create_container("stageproof/test:1", name="theirs")
        (line,) = leftovers.remove(client)
        assert line.startswith("image stageproof/test:1 stays: ")
        assert client.images.list("stageproof/test:1")
    finally:
        client.close()
