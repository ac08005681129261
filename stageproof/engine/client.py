"""An engine that answers: what it is, and how to talk to it."""

from __future__ import annotations

import os
import re
import socket
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import docker
import requests.exceptions
import urllib3.exceptions
from docker.context import Context, ContextAPI
from docker.errors import APIError, DockerException
from docker.utils.socket import SocketError

from stageproof.errors import NO_SPACE, DiskFullError, EngineDiedError, EngineError, EngineTooOldError

Kind = Literal["docker-host", "context", "socket", "private"]
Store = Literal["classic", "containerd"]

OLDEST_ENGINE = (23, 0)
"""The first whose builds take named contexts by default."""
OLDEST_API = "1.41"
"""Of the first Docker Engine 20.10; a client is opened with it where nothing is known of the engine yet."""
TIMEOUT_SECONDS = 120
"""How long an engine may be silent before it counts as one that hangs. A save has longer: `images.SAVE_SECONDS`."""
LOST_CONNECTION = re.compile(
    r"connection (reset|broken|aborted|timed out)|(read|handshake|i/o) timed? ?out|ECONNRESET|ETIMEDOUT|unexpected EOF"
    r"|Temporary failure resolving",
    re.IGNORECASE,
)
"""How package managers inside a build say that the network had a hiccup: they give up at the first of these, and one
more try tells it from a fault of the file."""
ASK_SECONDS = 5
"""How long the question "are you there?" may take."""


@dataclass(frozen=True)
class Engine:
    """A Docker engine that is new enough, and the buildx to build with."""

    kind: Kind
    host: str
    """Its address, as DOCKER_HOST writes it."""
    version: str
    api: str
    buildx: tuple[str, ...]
    """The command that runs buildx."""
    store: Store
    context: str = ""
    """The name of the Docker context, if it was found by one."""

    @property
    def title(self) -> str:
        """The engine in a few words, for people."""
        names = {
            "docker-host": f"engine {self.version} at DOCKER_HOST",
            "context": f"engine {self.version} of context {self.context}",
            "socket": f"engine {self.version}",
            "private": f"private engine {self.version}",
        }
        return names[self.kind]

    def connect(self) -> docker.DockerClient:
        """Open a client; the caller closes it."""
        return connect(self.kind, self.host, self.context, TIMEOUT_SECONDS, self.api)

    def environment(self) -> dict[str, str]:
        """Give the environment in which the CLI and buildx reach this engine. The user's choice of a builder stays."""
        if self.kind != "private":
            return dict(os.environ)
        elsewhere = {"DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_TLS"}
        kept = {name: value for name, value in os.environ.items() if name not in elsewhere}
        return {**kept, "DOCKER_HOST": self.host}


def connect(kind: Kind, host: str, context: str, seconds: float, api: str = "auto") -> docker.DockerClient:
    """Open a client to what the user named, with the user's TLS settings; a known API version saves a question."""
    options: dict[str, Any] = {"version": api, "timeout": seconds, "use_ssh_client": host.startswith("ssh://")}
    if kind == "docker-host":
        return docker.from_env(**options)
    if kind == "context":
        found = context_named(context)
        return docker.DockerClient(
            base_url=host, tls=(found.TLSConfig if found is not None else None) or False, **options
        )
    return docker.DockerClient(base_url=host, **options)


def context_named(name: str) -> Context | None:
    """Give a Docker context, if there is one of that name; the SDK's own hints leave that out."""
    found: Context | None = ContextAPI.get_context(name)
    return found


@dataclass(frozen=True)
class Answer:
    """What an engine said about itself."""

    version: str
    api: str
    store: Store
    product: str
    """"Engine", or the name of what only speaks like one."""


def knock(host: str) -> None:
    """Raise OSError where nobody listens at a Unix socket: the SDK would leave its own end open there."""
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
            knocking.settimeout(ASK_SECONDS)
            knocking.connect(host.removeprefix("unix://"))


def ask(kind: Kind, host: str, context: str = "") -> Answer:
    """Ask an engine who it is; a DockerException or an OSError if none answers."""
    knock(host)
    client = connect(kind, host, context, ASK_SECONDS, OLDEST_API)
    try:
        # Both without a version in the address, so that one question less is asked: which versions there are.
        version = client.version(api_version=False)
        told = client.api.get(f"{client.api.base_url}/info")
        told.raise_for_status()
        info = told.json()
    except (DockerException, OSError) as error:
        _close_left_open(error)
        raise
    finally:
        client.close()
    return Answer(
        str(version.get("Version", "")), str(version.get("ApiVersion", "")), store_of(info), product_of(version)
    )


def _close_left_open(error: BaseException) -> None:
    """Close the sockets that the SDK made, could not connect, and forgot: an engine may end just after the knock."""
    reason: BaseException | None = error
    while reason is not None:
        for frame, _ in traceback.walk_tb(reason.__traceback__):
            made = frame.f_locals.get("sock")
            if isinstance(made, socket.socket):
                made.close()
        reason = reason.__context__


def store_of(info: Mapping[str, Any]) -> Store:
    """Tell which image store an engine has, from its `info`."""
    rows = info.get("DriverStatus") or []
    return "containerd" if ["driver-type", "io.containerd.snapshotter.v1"] in rows else "classic"


def product_of(version: Mapping[str, Any]) -> str:
    """Name what answers: Podman speaks Docker's language but does not build with BuildKit."""
    names = [str(one.get("Name", "")) for one in version.get("Components") or []]
    return next((name for name in names if "podman" in name.lower()), "Engine")


def number(version: str) -> tuple[int, ...] | None:
    """Read the leading numbers of a version: (20, 10, 24) of `20.10.24+dfsg1`; nothing where there are none."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in found[1].split(".")) if found else None


def require_new(answer: Answer, where: str) -> None:
    """Raise unless the engine is new enough. A version without a number is a developer's own build: taken."""
    version = number(answer.version)
    if answer.product == "Engine" and (version is None or version >= OLDEST_ENGINE):
        return
    failed = f"the engine at {where} cannot be used"
    seen = f"{answer.product} {answer.version}"
    why = f"builds need named contexts: Docker Engine {OLDEST_ENGINE[0]} or newer"
    raise EngineTooOldError(
        failed, seen=seen, why=why, do="update Docker, or set DOCKER_HOST to a newer engine; docs/engine.md"
    )


def died(engine: Engine, error: DockerException | OSError | str) -> EngineDiedError:
    """Say that an engine stopped answering in the middle of something."""
    failed = f"the engine at {engine.host} stopped answering"
    do = "invoke engine.status; invoke engine.start" if engine.kind == "private" else "start it again; invoke doctor"
    return EngineDiedError(failed, seen=str(error), why="what was asked of it is lost", do=do)


@contextmanager
def failures_as_errors() -> Iterator[None]:
    """Tell what an engine refuses, a full disk of it, and its end, as errors of ours and not as tracebacks."""
    why = "this says nothing about the image"
    try:
        yield
    except APIError as error:
        seen = str(error.explanation or error)
        if NO_SPACE in seen.lower():
            failed = "the engine has no space left"
            raise DiskFullError(failed, seen=seen, why=why, do="make room on its disk; docs/engine.md") from error
        failed = "the engine refused what it was asked"
        raise EngineError(failed, seen=seen, why=why) from error
    except (DockerException, requests.exceptions.RequestException, urllib3.exceptions.HTTPError, SocketError) as error:
        failed = "the engine stopped answering"
        raise EngineDiedError(failed, seen=str(error), why=why) from error
