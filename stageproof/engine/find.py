"""Which engine is used: the one that the user chose, else the default socket's, else the private one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from docker.errors import DockerException
from docker.utils.config import load_general_config

from stageproof.engine import buildx, client, private, rootfs
from stageproof.engine.client import Engine, Kind, context_named
from stageproof.engine.home import Home, default_home, locked
from stageproof.errors import (
    BuildxMissingError,
    DockerCliError,
    EngineDiedError,
    EngineError,
    EngineTooOldError,
    NoAptError,
    NotRootError,
)

WHY = f"images are built and run by a Docker Engine of version {client.OLDEST_ENGINE[0]} or newer"
DO = "start Docker, or set DOCKER_HOST, or use root on Debian or Ubuntu; docs/engine.md"
DEFAULT_SOCKET = Path("/var/run/docker.sock")
NO_SOCKET = "no such socket"


@dataclass(frozen=True)
class Place:
    """A place where an engine may be."""

    kind: Kind
    name: str
    """How people call it: `DOCKER_HOST=tcp://...`, `context colima`, `default socket`."""
    host: str
    context: str = ""

    @property
    def chosen(self) -> bool:
        """Tell whether the user named it: then no other is taken in its stead."""
        return self.kind in {"docker-host", "context"}


@dataclass(frozen=True)
class Look:
    """What was seen at a place: an answer, or what went wrong."""

    place: Place
    answer: client.Answer | None
    problem: str = ""
    error: EngineError | None = None


def place(environment: Mapping[str, str] = os.environ) -> Place:
    """Give the place that the Docker CLI would go to, by the CLI's own rules."""
    host = environment.get("DOCKER_HOST", "")
    if host:
        return Place("docker-host", f"DOCKER_HOST={host}", host)
    name = environment.get("DOCKER_CONTEXT") or load_general_config().get("currentContext") or "default"
    if name == "default":
        return Place("socket", f"default socket {DEFAULT_SOCKET}", f"unix://{DEFAULT_SOCKET}")
    found = context_named(name)
    return Place("context", f"Docker context {name}", (found.Host or "") if found is not None else "", name)


def look(at: Place) -> Look:
    """Ask who is there."""
    if at.kind == "context" and not at.host:
        return Look(at, None, "there is no context of that name")
    if at.kind == "socket" and not DEFAULT_SOCKET.exists():
        return Look(at, None, NO_SOCKET)
    try:
        answer = client.ask(at.kind, at.host, at.context)
        client.require_new(answer, at.name)
    except EngineTooOldError as error:
        return Look(at, None, f"{error.seen}, which cannot be used", error)
    except (DockerException, OSError, ValueError) as error:
        return Look(at, None, _plain(error))
    return Look(at, answer)


def find(home: Home | None = None, environment: Mapping[str, str] = os.environ) -> Engine | None:
    """Give the engine to use if one answers; starts and makes nothing."""
    home = home or default_home()
    seen = look(place(environment))
    return _usable(seen, home, environment) or private.find(home)


def ensure(
    progress: Callable[[str], None] = private.quiet,
    home: Home | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Engine:
    """Give the engine to use: find one, else start the private one, else raise what is missing."""
    home = home or default_home()
    seen = look(place(environment))
    try:
        engine = _usable(seen, home, environment)
    except (BuildxMissingError, DockerCliError, EngineTooOldError) as error:
        if seen.answer is None:
            raise
        engine = _with_own_buildx(seen, home, progress, environment, error)
    if engine is not None:
        return engine
    if seen.problem != NO_SOCKET:
        progress(f"{seen.place.name}: {seen.problem}; the private engine is used")
    try:
        return private.find(home) or private.start(progress, home=home)
    except (NotRootError, NoAptError) as error:
        raise _none(seen, error) from error


def _usable(seen: Look, home: Home, environment: Mapping[str, str]) -> Engine | None:
    """Make an engine of an answer; raise if the user chose this place and it cannot be used."""
    at = seen.place
    if seen.answer is not None:
        command = buildx.find(home, environment).command
        return Engine(at.kind, at.host, seen.answer.version, seen.answer.api, command, seen.answer.store, at.context)
    if not at.chosen:
        return None
    if seen.error is not None:
        raise seen.error
    failed = f"no engine answers at {at.name}"
    how = "DOCKER_HOST" if at.kind == "docker-host" else "the context (docker context use default)"
    raise EngineDiedError(
        failed, seen=seen.problem, why=WHY, do=f"start it, or unset {how} to use another; invoke doctor"
    )


def _with_own_buildx(
    seen: Look, home: Home, progress: Callable[[str], None], environment: Mapping[str, str], error: EngineError
) -> Engine | None:
    """Bring the private engine's buildx, where it can be made, to an engine that has none."""
    try:
        rootfs.require(home)
    except EngineError:
        raise error from None
    progress(f"{error.failed}: the private engine's is used")
    with locked(home, lambda: progress("waiting for another command that makes the private engine")):
        rootfs.make(home, progress)
    return _usable(seen, home, environment)


def _none(seen: Look, error: NotRootError | NoAptError) -> EngineError:
    """Say all that was looked for."""
    if seen.error is not None:
        return seen.error
    failed = "no engine, and none can be started here"
    chosen = "DOCKER_HOST is not set, no Docker context is chosen"
    text = f"{chosen};\n{seen.place.name}: {seen.problem};\nthe private engine: {error.seen}"
    return type(error)(failed, seen=text, why=WHY, do=error.do)


def _plain(error: Exception) -> str:
    """Reduce a client's error to its cause."""
    text = str(error)
    for sign, meaning in (
        ("No such file or directory", NO_SOCKET),
        ("Connection refused", "nobody listens"),
        ("Permission denied", f"permission denied for uid {os.geteuid()}"),
        ("timed out", f"no answer within {client.ASK_SECONDS} s"),
    ):
        if sign.lower() in text.lower():
            return meaning
    return text.splitlines()[0] if text else type(error).__name__
