"""What this project has put into an engine: found by its labels and names, and removed on request."""

from __future__ import annotations

from collections.abc import Iterator

import docker.errors
from docker import DockerClient

_PREFIX = "stageproof/"
"""Every image that is made here is named so; none of them is ever pulled or pushed."""
_LABEL = "dev.stageproof.run"


def remove(client: DockerClient) -> Iterator[str]:
    """Remove what carries a run's label, and images named `stageproof/...`; name each."""
    for container in client.containers.list(all=True, filters={"label": _LABEL}, ignore_removed=True):
        container.remove(force=True, v=True)
        yield f"container {container.name}"
    for network in client.networks.list(filters={"label": _LABEL}):
        network.remove()
        yield f"network {network.name}"
    for volume in client.volumes.list(filters={"label": _LABEL}):
        volume.remove(force=True)
        yield f"volume {volume.name}"
    for tag in sorted(tag for image in client.images.list() for tag in image.tags if tag.startswith(_PREFIX)):
        try:
            client.images.remove(tag)
        except docker.errors.APIError as error:
            yield f"image {tag} stays: {error.explanation}"
        else:
            yield f"image {tag}"
