"""Start the helper container beside a target, or above it where the whole machine's processes are to be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import docker.errors
import requests.exceptions

from stageproof.errors import ContainerError, EngineError, Error, HelperError, NothingBuiltError
from stageproof.live.container import Container
from stageproof.live.helper.client import ENGINE_SECONDS, WHY, Helper
from stageproof.live.helper.stream import Stream
from stageproof.live.run import Run
from stageproof.live.sweep import remove_container

ALWAYS = {"stdin_open": True, "read_only": True}


@dataclass(frozen=True)
class Program:
    """What a helper that looks runs instead of its agent: Python's source, and the capabilities that it needs more."""

    source: str
    capabilities: tuple[str, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """Give the keyword arguments of the Docker SDK's `containers.create`."""
        return {"entrypoint": ["python3", "-I", "-S", "-X", "utf8", "-c", self.source]}


def attach(target: Container, image: str, run: Run, *, look: bool = True, program: Program | None = None) -> Helper:
    """Start a helper beside a running target, and have it prove that it sees it."""
    arguments = _arguments(target, look=look)
    if program:
        arguments |= program.arguments() | {"cap_add": [*arguments["cap_add"], *program.capabilities]}
    return start_beside(target, image, run, arguments, _saw if look else Helper.clock)


def crash(target: Container, image: str, run: Run) -> None:
    """End the target's first process as the kernel ends one that is out of memory: from outside of its namespace.

    A signal of the engine would count as somebody's wish. Raises HelperError where a helper may not see that far.
    """
    _do_to(target, image, run, "crash")


def hang(target: Container, image: str, run: Run) -> int:
    """Stop (SIGSTOP) the target's first process and all that come from it; give how many they were.

    What the engine executes in it later, such as its health command, runs. Raises HelperError where a helper may not
    see that far.
    """
    return int(_do_to(target, image, run, "hang")["stopped"])


def _do_to(target: Container, image: str, run: Run, what: str) -> dict[str, Any]:
    """Have a helper that sees the processes of the whole machine do something to those of the target."""
    arguments = {"network_mode": "none", "pid_mode": "host", "cap_drop": ["ALL"], "cap_add": ["KILL"]}
    with start_beside(target, image, run, {**ALWAYS, **arguments}, Helper.clock) as helper:
        return helper.ask({"op": what, "pid": target.inspect()["State"]["Pid"], "container": target.id})


def start_beside(
    target: Container, image: str, run: Run, arguments: Mapping[str, Any], prove: Callable[[Helper], object]
) -> Helper:
    """Start a helper about a target with the Docker SDK's own arguments, and have it prove that it can do its work."""
    client = target.client
    name, helper = run.new_name(), None
    try:
        created = str(client.containers.create(image, name=name, labels=run.labels, **arguments).id)
        # Attached before it starts, so that nothing of it is missed. It says nothing before it is asked.
        attached = client.api.attach_socket(created, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
        helper = Helper(target, Stream(attached), created)
        client.api.start(created)
        prove(helper)
    except BaseException as error:
        if helper:
            helper.remove()
        remove_container(client, name)
        if isinstance(error, docker.errors.APIError | requests.exceptions.RequestException):
            raise _start_error(target, image, error) from error
        raise
    return helper


def _arguments(target: Container, *, look: bool) -> dict[str, Any]:
    given: dict[str, Any] = {**ALWAYS, "network_mode": f"container:{target.id}", "cap_drop": ["ALL"]}
    if look:
        # To see what other users' processes hold open: the first to be allowed to, the second to open the folder.
        given |= {"pid_mode": f"container:{target.id}", "cap_add": ["SYS_PTRACE", "DAC_READ_SEARCH"]}
    return given


def _saw(helper: Helper) -> None:
    """Have it see a first process that is not itself, in the same network."""
    seen = helper.ask({"op": "hello"})
    if seen["pid"] == 1 or not seen["same_network"]:
        failed = f"the helper container does not see the container of {helper.target.image}"
        raise HelperError(failed, seen=f"its first process is {seen['cmdline']}", why=WHY)


def no_image(image: str) -> HelperError:
    """Say that the helper image is not there."""
    failed = f"the engine has no image {image} for the helper container"
    return HelperError(failed, why=WHY, do="build the target `helper`")


def _start_error(target: Container, image: str, error: Exception) -> Error:
    if isinstance(error, docker.errors.ImageNotFound):
        return no_image(image)
    try:
        if target.wait_ended(ENGINE_SECONDS):
            return target.ended_too_early("it could be asked")
    except (ContainerError, EngineError, NothingBuiltError) as gone:
        return gone
    return HelperError("the helper container did not start", seen=str(error), why=WHY)
