"""One container of an image: start it, see how it is, stop it, and remove it whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, TypeVar

import docker.errors
import requests.exceptions

from stageproof.errors import (
    NO_SPACE,
    ContainerError,
    DiskFullError,
    EngineDiedError,
    EngineError,
    NothingBuiltError,
)
from stageproof.live.options import Options
from stageproof.live.run import Run
from stageproof.live.sweep import remove_container
from stageproof.live.wait import until

T = TypeVar("T")

LAST_LINES = 10
CPU_PERIOD = 100_000
"""Microseconds, as engines have it by default."""
TRANSPORT_CODES = (126, 127, 128)
"""What the engine gives as the exit code of a program that it could not start."""
ENGINE_GONE = (requests.exceptions.ConnectionError, requests.exceptions.Timeout)


@dataclass(frozen=True)
class Probe:
    """One run of the health command, as the engine noted it."""

    exit_code: int
    output: str


@dataclass(frozen=True)
class State:
    """How a container is right now."""

    running: bool
    exit_code: int
    out_of_memory: bool
    health: str
    """"starting", "healthy", "unhealthy", or "none" where there is no health command."""
    probes: tuple[Probe, ...]


class Container:
    """A started container; leaving the `with` block removes it."""

    def __init__(self, client: docker.DockerClient, container_id: str, name: str, image: str) -> None:
        self.client = client
        self.id = container_id
        self.name = name
        self.image = image
        self.started = time.monotonic()

    def __enter__(self) -> Self:
        """Hand out the container itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove it, also after Ctrl-C."""
        self.remove()

    def inspect(self) -> dict[str, Any]:
        """Give what the engine knows about it."""
        try:
            return dict(self.client.api.inspect_container(self.id))
        except docker.errors.NotFound as error:
            failed = "the container is gone"
            why = "somebody removed it during the test"
            raise ContainerError(failed, seen=str(error.explanation), why=why) from error
        except ENGINE_GONE as error:
            raise engine_gone(error) from error

    def state(self) -> State:
        """See how it is."""
        state = self.inspect()["State"]
        health = state.get("Health") or {}
        log = health.get("Log") or []
        return State(
            # One that the engine is about to start again does not run, although the engine says both.
            running=state["Running"] and not state["Restarting"],
            exit_code=state["ExitCode"],
            out_of_memory=state["OOMKilled"],
            health=health.get("Status", "none"),
            probes=tuple(Probe(one["ExitCode"], one["Output"].strip()) for one in log),
        )

    def output(self, *, stdout: bool = True, stderr: bool = True) -> bytes:
        """Give everything that it has printed."""
        return bytes(self.client.api.logs(self.id, stdout=stdout, stderr=stderr))

    def last_lines(self, count: int = LAST_LINES) -> str:
        """Give its last lines, untouched."""
        return bytes(self.client.api.logs(self.id, tail=count)).decode(errors="replace")

    def signal(self, name: str = "SIGTERM") -> None:
        """Send a signal to its first process, from outside."""
        try:
            self.client.api.kill(self.id, signal=name)
        except docker.errors.APIError as error:
            if self.state().running:
                raise
            what = f"it could be sent {name}"
            raise self.ended_too_early(what) from error

    def execute(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run a program inside it; give its exit code and output. Raise ContainerError if it cannot be executed."""
        api = self.client.api
        try:
            number = api.exec_create(self.id, list(command), environment=dict(env or {}))["Id"]
            output = api.exec_start(number)
        except docker.errors.APIError as error:
            failed = f"{shown(command)} cannot be executed in the container"
            raise ContainerError(
                failed, seen=str(error.explanation), why="its exit code would not be an answer"
            ) from error
        seen = bytes(output).decode(errors="replace")
        code = api.exec_inspect(number)["ExitCode"]
        # Some engines tell it so instead: the code is then the engine's, and not the program's.
        if code in TRANSPORT_CODES and "exec failed" in seen:
            failed = f"{shown(command)} cannot be executed in the container"
            raise ContainerError(failed, seen=seen, why="its exit code would not be an answer")
        return code, seen

    def changed_files(self) -> list[str]:
        """Name what was added (A), changed (C) or deleted (D) in its file system."""
        return [f"{'CAD'[one['Kind']]} {one['Path']}" for one in self.client.api.diff(self.id) or []]

    def limit_cpus(self, cpus: float | None) -> None:
        """Give it so many processors' time from now on; None: as much as there is."""
        quota = -1 if cpus is None else int(cpus * CPU_PERIOD)
        self.client.api.update_container(self.id, cpu_quota=quota, cpu_period=CPU_PERIOD)

    def timed_lines(self) -> list[tuple[datetime, str]]:
        """Give everything that it has printed, each line with the time at which the engine got it."""
        lines = bytes(self.client.api.logs(self.id, timestamps=True)).decode(errors="replace").splitlines()
        words = [line.partition(" ") for line in lines]
        # The engine writes nanoseconds; Python reads microseconds.
        return [(datetime.fromisoformat(f"{time[:26]}+00:00"), text) for time, _, text in words if time.endswith("Z")]

    def wait_for(self, condition: Callable[[], T | None], seconds: float, what: str) -> T:
        """Wait for something while it runs; raise ContainerError when it ends, or the deadline passes."""

        def asked() -> T | None:
            try:
                answer = condition()
            except ContainerError as error:
                raise (error if self.state().running else self.ended_too_early(what)) from error
            if (answer is None or answer is False) and not self.state().running:
                raise self.ended_too_early(what)
            return answer

        answer = until(asked, seconds)
        if answer is None:
            failed = f"the container ran, but after {seconds:.1f} s it was still not true that {what}"
            raise ContainerError(failed, seen=self.last_lines(), why="nothing can be asked of it before that")
        return answer

    def wait_ended(self, seconds: float) -> State | None:
        """Wait until it has ended; give None if it still runs at the deadline."""

        def ended() -> State | None:
            state = self.state()
            return None if state.running else state

        return until(ended, seconds)

    def wait_restarted(self, seconds: float) -> None:
        """Wait until the engine has started it again after a failure, or has given that up."""

        def again() -> bool:
            seen = self.inspect()
            state = seen["State"]
            given_up = not state["Running"] and not state["Restarting"] and state["FinishedAt"] > state["StartedAt"]
            return bool(seen["RestartCount"] and state["Running"] and not state["Restarting"]) or given_up

        until(again, seconds)

    def ended_too_early(self, what: str) -> ContainerError:
        """Say that it ended before something was true."""
        state = self.state()
        memory = ", out of memory" if state.out_of_memory else ""
        failed = f"the container ended with exit code {state.exit_code}{memory} before {what}"
        return ContainerError(failed, seen=self.last_lines(), why="nothing can be asked of a container that has ended")

    def remove(self) -> None:
        """Remove it, running or not."""
        remove_container(self.client, self.id)


def start(client: docker.DockerClient, image: str, run: Run, options: Options | None = None) -> Container:
    """Create and start a container; raise ContainerError if the image itself is why that does not work."""
    return start_with(client, image, run, (options or Options()).arguments())


def start_with(client: docker.DockerClient, image: str, run: Run, arguments: dict[str, Any]) -> Container:
    """Create and start a container with the Docker SDK's own arguments."""
    name = run.new_name()
    try:
        created = str(client.containers.create(image, name=name, labels=run.labels, **arguments).id)
        client.api.start(created)
    except BaseException as error:
        # By its name, because an interruption can come before the engine's answer with the number.
        _remove_quietly(client, name)
        if isinstance(error, docker.errors.APIError | requests.exceptions.RequestException):
            raise start_error(image, error) from error
        raise
    return Container(client, created, name, image)


def _remove_quietly(client: docker.DockerClient, name: str) -> None:
    try:
        remove_container(client, name)
    except (docker.errors.APIError, requests.exceptions.RequestException):
        return  # the first error says more; `sweep` removes what is left


def start_error(image: str, error: Exception) -> EngineError | ContainerError | NothingBuiltError:
    """Tell the image's own fault from the engine's."""
    if isinstance(error, docker.errors.ImageNotFound):
        failed = f"the engine has no image {image}"
        return NothingBuiltError(failed, seen=str(error.explanation), do="build it first")
    if not isinstance(error, docker.errors.APIError):
        return engine_gone(error)
    seen = str(error.explanation or error)
    if "exec: " in seen or "no command specified" in seen:
        failed = "the container did not start"
        return ContainerError(failed, seen=seen, why="the entry point cannot be executed")
    failed = f"the engine did not start a container of {image}"
    kind = DiskFullError if NO_SPACE in seen.lower() else EngineError
    return kind(failed, seen=seen, why="this says nothing about the image")


def engine_gone(error: Exception) -> EngineDiedError:
    """Say that the engine does not answer any more."""
    return EngineDiedError("the engine stopped answering", seen=str(error), why="this says nothing about the image")


def shown(words: Sequence[str]) -> str:
    """Write a command line for people."""
    return " ".join(word if word and " " not in word else repr(word) for word in words)
