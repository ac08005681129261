"""What a program of a container can do: the helper's static tools, run in it from a volume that it cannot write to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
from docker.types import Mount

from stageproof.errors import HelperError
from stageproof.live.container import ENGINE_GONE, Container, engine_gone, start_with
from stageproof.live.helper.beside import no_image
from stageproof.live.helper.client import WHY
from stageproof.live.options import Options
from stageproof.live.session import Live
from stageproof.live.sweep import remove_container

PLACE = "/tools"
SECONDS = 10.0
FREE = {
    "network_mode": "none",
    "read_only": True,
    "user": "0:0",
    "cap_drop": ["ALL"],
    "cap_add": ["SYS_ADMIN"],
    # Whatever else could say no; an engine that does not know the latter two passes over them.
    "security_opt": ["seccomp=unconfined", "apparmor=unconfined", "label=disable"],
}
"""The Docker SDK's arguments for a container in which the tools may administer its namespaces."""


def run_within(live: Live, script: str) -> str:
    """Run a script of the tools in a container of the image, started as it is; give what it printed."""
    with shelf(live, live.helper_image, PLACE) as tools:
        options = Options(program=_shell(script), volumes_of=tools)
        with live.start(options) as container:
            return _printed(container)


def run_freely(live: Live, script: str) -> str:
    """Run it in a container of the helper image that may administer its own namespaces; give what it printed."""
    arguments = {**FREE, "entrypoint": list(_shell(script))}
    with start_with(live.client, live.helper_image, live.run, arguments) as container:
        return _printed(container)


@contextmanager
def shelf(live: Live, image: str, place: str) -> Iterator[str]:
    """Give a container that never starts: the engine has filled its volume with that folder of that image."""
    name = live.run.new_name()
    try:
        volume = Mount(place, None, labels=live.run.labels)
        holder = live.client.containers.create(image, name=name, labels=live.run.labels, mounts=[volume])
        yield str(holder.id)
    except docker.errors.ImageNotFound as error:
        raise no_image(image) from error
    except docker.errors.APIError as error:
        failed = f"the engine made no volume of {place} of {image}"
        raise HelperError(failed, seen=str(error.explanation), why=WHY) from error
    except ENGINE_GONE as error:
        raise engine_gone(error) from error
    finally:
        remove_container(live.client, name)


def _shell(script: str) -> tuple[str, ...]:
    return (f"{PLACE}/sh", "-c", script)


def _printed(container: Container) -> str:
    if container.wait_ended(SECONDS) is None:
        failed = f"the helper's tools were not done after {SECONDS:g} s"
        raise HelperError(failed, seen=container.last_lines(), why=WHY)
    return container.output().decode(errors="replace")
