"""A command in a container: by the container's own shell, or as a program without one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import docker.errors

from stageproof.errors import ContainerError, Error, QuestionError
from stageproof.live.container import ENGINE_GONE, TRANSPORT_CODES, engine_gone
from stageproof.testinfra.inside import Inside

KILLED = 137
QUOTED = re.compile(r"'[^']*'")
OF_A_SHELL = re.compile(r"[|&;<>()$`\\\"'*?\[\]{}#~!\n]|^\s*\w+=")
"""What means something to a shell outside of single quotes, and nothing to a program."""
TRANSPORT_WORDS = b"OCI runtime exec failed"


@dataclass(frozen=True)
class Output:
    """What a command gave."""

    code: int
    stdout: bytes
    stderr: bytes


def run(inside: Inside, command: str) -> Output:
    """Run a command line as `docker exec CONTAINER /bin/sh -c` does; without a shell, run it as a program.

    Raise QuestionError where the container has no shell and the line needs one, or no such program; ContainerError
    where the container has ended. An exit code of the engine's own is never given as the command's.
    """
    shell = "/bin/sh" if inside.find_program("/bin/sh") else inside.find_program("sh")
    return execute(inside, [shell, "-c", command] if shell else words(inside, command))


def words(inside: Inside, command: str) -> list[str]:
    """Split a command line that any shell would read as one program and its arguments. Raise QuestionError."""
    name = inside.container.name
    why, failed = "it is no answer about the command", f"{command!r} cannot be run in {name}"
    if OF_A_SHELL.search(QUOTED.sub("", command)):
        do = "ask with host.file, host.process, ..., or run one program with its arguments"
        raise QuestionError(failed, seen="the container has no shell, and this needs one", why=why, do=do)
    parts = shlex.split(command)
    if not parts or not inside.find_program(parts[0]):
        seen = f"the container has no shell, and no program {parts[0] if parts else ''!r} in its PATH"
        raise QuestionError(failed, seen=seen, why=why, do="host.exists tells whether there is one")
    return parts


def execute(inside: Inside, command: Sequence[str]) -> Output:
    """Run a program; raise ContainerError where the engine could not start it, or the container ended meanwhile."""
    api = inside.container.client.api
    try:
        number = api.exec_create(inside.container.id, list(command), user=inside.user or "")["Id"]
        stdout, stderr = api.exec_start(number, demux=True)
        code = api.exec_inspect(number)["ExitCode"]
    except docker.errors.APIError as error:
        raise _failed(inside, command, str(error.explanation)) from error
    except ENGINE_GONE as error:
        raise engine_gone(error) from error
    output = Output(-1 if code is None else code, stdout or b"", stderr or b"")
    if code in TRANSPORT_CODES and (output.stdout + output.stderr).startswith(TRANSPORT_WORDS):
        raise _failed(inside, command, (output.stdout + output.stderr).decode(errors="replace"))
    if code is None or code == KILLED:
        inside.require_running("the command had ended")
    if code is None:
        raise _failed(inside, command, "the engine gave no exit code")
    return output


def _failed(inside: Inside, command: Sequence[str], seen: str) -> Error:
    inside.require_running("the command could be run")
    failed = f"{' '.join(command)} could not be run in {inside.container.name}"
    return ContainerError(failed, seen=seen, why="an exit code of the engine is no answer")
