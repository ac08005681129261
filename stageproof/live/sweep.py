"""Nothing left behind: remove the containers of a run, and those of runs that died."""

from __future__ import annotations

from http import HTTPStatus

import docker.errors

from stageproof.live.run import OWNER_LABEL, RUN_LABEL, Owner
from stageproof.live.wait import until


def sweep(client: docker.DockerClient) -> list[str]:
    """Remove the containers whose owners have died, and give their names; those of other machines are left alone."""
    return _remove(client, {"label": OWNER_LABEL}, only_dead=True)


def finish(client: docker.DockerClient, run_id: str, seconds: float) -> None:
    """Remove what a stopped run left: each process's containers when it has ended, all of them when the time is over.

    A process that was told to stop removes its own, and until it has ended it may still make some.
    """

    def is_empty() -> bool:
        _remove(client, {"label": f"{RUN_LABEL}={run_id}"}, only_dead=True)
        return not client.api.containers(all=True, filters={"label": f"{RUN_LABEL}={run_id}"})

    if not until(is_empty, seconds):
        remove_run(client, run_id)


def remove_run(client: docker.DockerClient, run_id: str) -> list[str]:
    """Remove every container of a run, and give their names."""
    return _remove(client, {"label": f"{RUN_LABEL}={run_id}"}, only_dead=False)


def _remove(client: docker.DockerClient, filters: dict[str, str], *, only_dead: bool) -> list[str]:
    removed = []
    for found in client.api.containers(all=True, filters=filters):
        owner = Owner.parse(found["Labels"].get(OWNER_LABEL, ""))
        if only_dead and not (owner and owner.is_dead()):
            continue
        if remove_container(client, found["Id"]):
            removed.append(found["Names"][0].lstrip("/"))
    return removed


def remove_container(client: docker.DockerClient, name: str) -> bool:
    """Remove a container with its volumes, running or not; tell whether it was this call that did it."""
    try:
        client.api.remove_container(name, force=True, v=True)
    except docker.errors.NotFound:
        return False
    except docker.errors.APIError as error:
        if error.status_code != HTTPStatus.CONFLICT:  # somebody else is removing it already
            raise
        return False
    return True
