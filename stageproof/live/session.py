"""The containers of one image: started when a check needs one, shared where the checks only look."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from http import HTTPStatus
from typing import Any, Self

import docker.errors

from stageproof.errors import ContainerError, EngineError, HelperError, NothingBuiltError
from stageproof.live import cgroup
from stageproof.live.answers import Answer
from stageproof.live.container import ENGINE_GONE, Container, engine_gone, start
from stageproof.live.helper import DEFAULT_PORT, Helper, Request
from stageproof.live.helper.beside import attach, crash, hang
from stageproof.live.mapped import any_user
from stageproof.live.options import Options
from stageproof.live.restrictions import DEFAULT_LIMITS, abroad, hardened, restricted
from stageproof.live.run import Run
from stageproof.live.sink import sink
from stageproof.live.wait import until
from stageproof.model import Limits


@dataclass(frozen=True)
class Begun:
    """How a container was when it gave its first HTTP answer, before anything else was asked of it."""

    seconds: float
    """Since the kernel started its first process."""
    memory: int | None
    """Bytes; None where the kernel does not tell."""
    answer: Answer
    spoke: bool
    """Whether it had printed something before it was asked anything."""


@dataclass(frozen=True)
class Running:
    """A running container, and the helper beside it."""

    container: Container
    helper: Helper
    deadline: float
    """When it must have started, by this process's monotonic clock."""
    begun: Begun | None = None
    """Noted of shared containers only; None too if there was no HTTP answer in time."""
    turn: threading.RLock = field(default_factory=threading.RLock)
    """Held by whoever puts a load on it or measures it, so that two of them do not see each other."""

    def remaining(self) -> float:
        """Give the seconds that its start may still take."""
        return max(0.0, self.deadline - time.monotonic())

    def ask(self, target: str | bytes | Request = "/", **given: Any) -> Answer:  # noqa: ANN401 -- the fields of Request
        """Send one HTTP request, and give the answer or what came instead of one."""
        return self.helper.http(target, **given)

    def answer(self, request: Request, right: Callable[[Answer], bool]) -> Answer:
        """Ask until the answer is right or the start has taken too long; give the last answer.

        Raise ContainerError at once when the container has ended.
        """
        last: list[Answer] = []

        def asked() -> bool:
            last[:] = [self.helper.http(request)]
            if last[0].error == "refused" and not self.container.state().running:
                what = f"{request.method} {request.target!s} was answered"
                raise self.container.ended_too_early(what)
            return right(last[0])

        until(asked, self.remaining())
        return last[0]

    def remove(self) -> None:
        """Remove both."""
        self.helper.remove()
        self.container.remove()


class Kind(enum.Enum):
    """The containers that checks share."""

    RESTRICTED = enum.auto()
    ABROAD = enum.auto()
    FREE = enum.auto()


class Live:
    """Starts containers of one image; leaving the `with` block removes the shared one."""

    def __init__(  # noqa: PLR0913 -- what a session is made of
        self,
        client: docker.DockerClient,
        image: str,
        *,
        run: Run,
        helper_image: str,
        limits: Limits | None = None,
        hardened: bool = False,
    ) -> None:
        """Begin with nothing started; with `hardened`, no start has a network, capabilities or a writable root."""
        self.client = client
        self.image = image
        self.run = run
        self.helper_image = helper_image
        self.limits = limits or DEFAULT_LIMITS
        self.hardened = hardened
        self._locks = {kind: threading.RLock() for kind in Kind}
        self._shared: dict[Kind, Running | ContainerError] = {}

    def __enter__(self) -> Self:
        """Hand out the session itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove the shared container."""
        self.close()

    @cached_property
    def config(self) -> dict[str, Any]:
        """What the image says about itself: ExposedPorts, Healthcheck, Labels, ..."""
        try:
            return dict(self.client.images.get(self.image).attrs["Config"] or {})
        except docker.errors.ImageNotFound as error:
            failed = f"the engine has no image {self.image}"
            raise NothingBuiltError(failed, seen=str(error.explanation), do="build it first") from error
        except ENGINE_GONE as error:
            raise engine_gone(error) from error

    @cached_property
    def any_user(self) -> str:
        """A user that no image knows, in the group 0."""
        return any_user(self.client)

    @property
    def exposed(self) -> list[tuple[str, int]]:
        """The ports that the image exposes: [("tcp", 8080)]."""
        ports = [port.partition("/") for port in self.config.get("ExposedPorts") or {}]
        return sorted((protocol or "tcp", int(number)) for number, _, protocol in ports)

    @cached_property
    def ports(self) -> list[int]:
        """The TCP ports to ask: those exposed that something listens on, otherwise those that something listens on.

        Whether the two are the same is a claim of its own: a wrong EXPOSE makes no other claim untrue.
        """
        exposed = [number for protocol, number in self.exposed if protocol == "tcp"]
        try:
            sockets = self.serving().helper.sockets()
        except (ContainerError, HelperError):
            sockets = []
        listening = [socket.port for socket in sockets if socket.protocol == "tcp"]
        return [number for number in exposed if number in listening] or listening or exposed or [DEFAULT_PORT]

    @property
    def port(self) -> int:
        """The first port to ask."""
        return self.ports[0]

    @property
    def labels(self) -> dict[str, str]:
        """The image's labels."""
        return dict(self.config.get("Labels") or {})

    @property
    def health_command(self) -> list[str] | None:
        """The image's health command; None if it has none, or switches off its base's."""
        test = (self.config.get("Healthcheck") or {}).get("Test") or []
        return list(test) if test and test[0] != "NONE" else None

    @property
    def stop_signal(self) -> str:
        """The signal that the engine sends to stop it."""
        return str(self.config.get("StopSignal") or "SIGTERM")

    def start(self, options: Options | None = None) -> Container:
        """Start a container of its own; the caller removes it with a `with` block."""
        if self.hardened:
            options = hardened(options or Options(), self.limits)
        return start(self.client, self.image, self.run, options)

    @contextmanager
    def running(self, options: Options | None = None, *, look: bool = True) -> Iterator[Running]:
        """Start a container of its own with a helper beside it, and remove both."""
        with self.start(options) as container, attach(container, self.helper_image, self.run, look=look) as helper:
            yield self._seen(container, helper)

    def _seen(self, container: Container, helper: Helper) -> Running:
        """Begin the time of the start when somebody can look: what the engine took before that is not the app's."""
        return Running(container, helper, self.deadline())

    def deadline(self) -> float:
        """Give the end of a start that begins now, by this process's monotonic clock."""
        return time.monotonic() + self.limits.start_seconds

    def restricted(self) -> Running:
        """Give the shared container under all restrictions, once something listens in it."""
        return self._shared_with(Kind.RESTRICTED, restricted(self.limits, self.any_user))

    def abroad(self) -> Running:
        """Give the shared container that is started as the image says, but in another zone and without IPv6."""
        try:
            return self._shared_with(Kind.ABROAD, abroad())
        except EngineError:
            # A kernel without IPv6 cannot switch it off.
            return self._shared_with(Kind.ABROAD, replace(abroad(), sysctls={}))

    def serving(self) -> Running:
        """Give a shared container in which something listens: the restricted one, or else a free one."""
        try:
            return self.restricted()
        except ContainerError:
            return self._shared_with(Kind.FREE, Options())

    def looked_for(self, request: Request) -> list[str]:
        """Start it in a network that leads nowhere, wait for an answer, and name those that it looked for."""
        with sink(self.client, self.helper_image, self.run) as (network, helper):
            with self.start(Options(network=network)) as container:
                Running(container, helper, self.deadline()).answer(request, lambda answer: bool(answer.status))
            return helper.attempts()

    def crash(self, container: Container) -> None:
        """End a container's first process as nobody's wish: see `helper.beside.crash`."""
        crash(container, self.helper_image, self.run)

    def hang(self, container: Container) -> int:
        """Stop a container's processes as if they hung, and give their number: see `helper.beside.hang`."""
        return hang(container, self.helper_image, self.run)

    def _shared_with(self, kind: Kind, options: Options) -> Running:
        with self._locks[kind]:
            shared = self._shared.get(kind)
            if isinstance(shared, Running) and not _still_runs(shared):
                # Whatever ended it has been told by the check that saw it: the next one begins with a new container.
                shared.remove()
                shared = None
            if shared is None:
                shared = self._shared[kind] = self._start_shared(options)
        if isinstance(shared, ContainerError):
            raise shared
        return shared

    def _start_shared(self, options: Options) -> Running | ContainerError:
        try:
            with ExitStack() as undo:
                container = undo.enter_context(self.start(options))
                helper = undo.enter_context(attach(container, self.helper_image, self.run))
                shared = self._seen(container, helper)
                container.wait_for(lambda: helper.sockets() or None, shared.remaining(), "something listens in it")
                shared = replace(shared, begun=self._begun(shared))
                undo.pop_all()
                return shared
        except ContainerError as error:
            return error

    def _begun(self, running: Running) -> Begun | None:
        ports = [socket.port for socket in running.helper.sockets() if socket.protocol == "tcp"]
        exposed = [number for protocol, number in self.exposed if protocol == "tcp" and number in ports]
        if not ports:
            return None
        spoke = bool(running.container.output())
        answer = running.answer(Request("/", port=(exposed or ports)[0]), _is_first)
        if not answer.status:
            return None
        seconds = running.helper.seconds_since_start()
        try:
            memory = cgroup.memory_used(running.helper)
        except HelperError:
            memory = None
        return Begun(seconds, memory, answer, spoke)

    def close(self) -> None:
        """Remove the shared containers."""
        for kind, lock in self._locks.items():
            with lock:
                shared = self._shared.pop(kind, None)
                if isinstance(shared, Running):
                    shared.remove()


def _still_runs(running: Running) -> bool:
    try:
        return running.container.state().running
    except ContainerError:
        return False


def _is_first(answer: Answer) -> bool:
    """Tell whether its start is over: it answers, and does not say that it cannot yet; or it speaks no HTTP at all."""
    return answer.status not in {0, HTTPStatus.SERVICE_UNAVAILABLE} or answer.error == "not-http"
