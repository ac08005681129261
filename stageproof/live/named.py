"""A container that somebody else started, by its name: to look into it, and to leave it as it is."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import docker.errors

from stageproof.errors import ContainerError, UsageError
from stageproof.live.container import ENGINE_GONE, LAST_LINES, Container, engine_gone
from stageproof.live.run import OWNER_LABEL
from stageproof.names import nearest


def find(client: docker.DockerClient, name: str) -> Container:
    """Give a running container by its name or id.

    Raise UsageError where there is none of that name, ContainerError where it does not run or cannot be looked into,
    EngineDiedError where the engine does not answer.
    """
    try:
        seen = client.api.inspect_container(name)
    except docker.errors.NotFound as error:
        raise _unknown(client, name) from error
    except docker.errors.APIError as error:
        if error.status_code != HTTPStatus.BAD_REQUEST:  # a name that cannot be one
            raise
        raise _unknown(client, name) from error
    except ENGINE_GONE as error:
        raise engine_gone(error) from error
    _require_running(client, name, seen)
    _require_own_processes(name, seen)
    return Container(client, seen["Id"], seen["Name"].lstrip("/"), seen["Config"]["Image"])


def _unknown(client: docker.DockerClient, name: str) -> UsageError:
    running = sorted(
        one["Names"][0].lstrip("/") for one in client.api.containers() if OWNER_LABEL not in (one["Labels"] or {})
    )
    failed = f"there is no container {name!r}"
    return UsageError(failed, seen=f"running: {', '.join(running) or 'none'}", do=nearest(name, running))


def _require_running(client: docker.DockerClient, name: str, seen: dict[str, Any]) -> None:
    state = seen["State"]
    if state["Running"] and not state.get("Restarting"):
        return
    lines = bytes(client.api.logs(seen["Id"], tail=LAST_LINES)).decode(errors="replace")
    status = f"{state['Status']}, exit code {state['ExitCode']}"
    failed, why = f"the container {name} does not run", "nothing can be seen in a container that does not run"
    raise ContainerError(failed, seen=f"{status}\n{lines}", why=why, do=f"docker start {name}")


def _require_own_processes(name: str, seen: dict[str, Any]) -> None:
    """The first process of the namespace must be the container's: its root is where one looks."""
    mode = str(seen["HostConfig"].get("PidMode") or "")
    if mode in {"", "private"}:
        return
    failed = f"the container {name} cannot be looked into"
    why = "its first process cannot be told from those it shares the namespace with"
    raise ContainerError(failed, seen=f"it runs with --pid {mode}", why=why, do=f"start it without --pid {mode}")
