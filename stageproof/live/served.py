"""One container for a person to look at, published on the loopback of the engine's host."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import docker.errors
from docker import DockerClient
from docker.models.containers import Container

from stageproof.errors import ContainerError
from stageproof.live.run import Run
from stageproof.live.sweep import remove_container
from stageproof.model import Limits

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Served:
    """A container that answers."""

    container: Container
    address: str
    """Such as `http://127.0.0.1:32768/`; on the engine's host, if that is another machine."""

    def wait(self) -> None:
        """Show its log until it ends."""
        for line in self.container.logs(stream=True, follow=True):
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()


@contextmanager
def served(client: DockerClient, image: str, port: int, limits: Limits) -> Iterator[Served]:
    """Start an image hardened and under its limits; leaving the `with` block removes it. Raises ContainerError."""
    run = Run.new()
    name = run.new_name()
    try:
        container = client.containers.run(
            image,
            detach=True,
            name=name,
            labels=run.labels,
            ports={f"{port}/tcp": (_LOOPBACK, 0)},
            read_only=True,
            tmpfs={"/tmp": ""},  # noqa: S108 -- the container's
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            mem_limit=limits.memory,
            memswap_limit=limits.memory,
            pids_limit=limits.pids,
        )
        container.reload()
        published = (container.ports[f"{port}/tcp"] or [{}])[0].get("HostPort", "")
        yield Served(container, f"http://{_LOOPBACK}:{published}/")
    except docker.errors.APIError as error:
        failed = f"{image} did not start"
        raise ContainerError(failed, seen=str(error.explanation), do="invoke doctor") from error
    finally:
        remove_container(client, name)
