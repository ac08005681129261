"""One session: a helper container with tools beside the target, tied to this terminal, and removed at its end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker.errors
import requests.exceptions
from docker import DockerClient

from stageproof.debug import terminal
from stageproof.errors import ContainerError, HelperError
from stageproof.interruption import sigterm_as_interrupt
from stageproof.live.container import ENGINE_GONE, Container, engine_gone
from stageproof.live.named import find
from stageproof.live.run import Run
from stageproof.live.sweep import remove_container, sweep

LAUNCHER = Path(__file__).with_name("launcher.py").read_text(encoding="utf-8")
CAPABILITIES = ("SYS_PTRACE", "DAC_READ_SEARCH", "SYS_CHROOT")
"""To reach the target's root where it runs as another user, to read what only others may, and to change into it."""
END_SECONDS = 30
"""How long the engine may take to tell the exit code of a container whose connection has ended."""


def debug(client: DockerClient, name: str, command: Sequence[str], image: Callable[[Run], str]) -> int:
    """Run a command (none: a shell) with tools in the root of a running container; the container is not changed.

    Give the command's exit code as a shell does: 128 and the signal's number where a signal ended it. `image` gives the
    helper image.

    Raise UsageError where there is no such container, ContainerError where it does not run or ends meanwhile,
    HelperError where the helper container does not start, EngineDiedError where the engine is gone.
    """
    sweep(client)
    target = find(client, name)
    tty = terminal.has_terminal()
    run = Run.new()
    helper = run.new_name()
    arguments = _arguments(target, command, tty=tty) | {"name": helper, "labels": run.labels}
    with sigterm_as_interrupt(), terminal.hangup_as_interrupt():
        try:
            return _session(client, target, image(run), arguments)
        finally:
            with suppress(docker.errors.APIError, requests.exceptions.RequestException):  # the first error says more
                remove_container(client, helper)


def _session(client: DockerClient, target: Container, image: str, arguments: dict[str, Any]) -> int:
    try:
        created = str(client.containers.create(image, **arguments).id)
        # Attached before it starts, so that nothing of it is missed.
        attached = client.api.attach_socket(created, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
    except docker.errors.APIError as error:
        raise _not_started(target, error) from error
    except ENGINE_GONE as error:
        raise engine_gone(error) from error
    # Over a Unix socket or plain TCP the SDK hands out a read-only wrapper around the socket.
    connection = getattr(attached, "_sock", attached)
    connection.settimeout(None)
    try:
        client.api.start(created)
        _tie(client, created, connection, tty=arguments["tty"])
        code = int(client.api.wait(created, timeout=END_SECONDS)["StatusCode"])
    except docker.errors.APIError as error:
        raise _not_started(target, error) from error
    except ENGINE_GONE as error:
        raise engine_gone(error) from error
    finally:
        connection.close()
        attached.close()
    if not target.state().running:
        what = "the session was over"
        raise target.ended_too_early(what)
    return code


def _tie(client: DockerClient, container: str, connection: terminal.Connection, *, tty: bool) -> None:
    if not tty:
        terminal.pipe(connection)
        return

    def resize(lines: int, columns: int) -> None:
        with suppress(docker.errors.APIError):  # it has ended already
            client.api.resize(container, lines, columns)

    terminal.interact(connection, resize)


def _arguments(target: Container, command: Sequence[str], *, tty: bool) -> dict[str, Any]:
    about = target.inspect()["Config"]
    told = {
        "command": list(command),
        "environment": dict(line.split("=", 1) for line in about.get("Env") or () if "=" in line),
        "folder": str(about.get("WorkingDir") or "/"),
        "name": target.name,
        "terminal": os.environ.get("TERM", "xterm"),
        "tty": tty,
    }
    return {
        "entrypoint": ["python3", "-I", "-S", "-X", "utf8", "-c", LAUNCHER],
        "command": [json.dumps(told)],
        "network_mode": f"container:{target.id}",
        "pid_mode": f"container:{target.id}",
        "cap_drop": ["ALL"],
        "cap_add": list(CAPABILITIES),
        "read_only": True,
        "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=1m"},  # noqa: S108 -- the helper container's own
        "stdin_open": True,
        "tty": tty,
    }


def _not_started(target: Container, error: docker.errors.APIError) -> ContainerError | HelperError:
    if not target.state().running:
        what = "the session began"
        return target.ended_too_early(what)
    failed = "the helper container did not start"
    return HelperError(failed, seen=str(error.explanation), why="it holds the tools")
