"""The containers of one image: started when a check needs one, shared where the checks only look."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import docker.errors

from stageproof.errors import ContainerError, HelperError, NothingBuiltError
from stageproof.live.answers import Answer
from stageproof.live.container import ENGINE_GONE, Container, engine_gone, start
from stageproof.live.helper import DEFAULT_PORT, Helper, Request
from stageproof.live.helper.client import attach
from stageproof.live.options import Options
from stageproof.live.restrictions import DEFAULT_LIMITS, restricted
from stageproof.live.run import Run
from stageproof.live.wait import until
from stageproof.model import Limits


@dataclass(frozen=True)
class Running:
    """A running container, and the helper beside it."""

    container: Container
    helper: Helper
    deadline: float
    """When it must have started, by this process's monotonic clock."""

    def remaining(self) -> float:
        """Give the seconds that its start may still take."""
        return max(0.0, self.deadline - time.monotonic())

    def ask(self, target: str | bytes | Request = "/", **given: Any) -> Answer:  # noqa: ANN401 -- the fields of Request
        """Send one HTTP request, and give the answer or what came instead of one."""
        return self.helper.http(target, **given)

    def answer(self, request: Request, right: Callable[[Answer], bool]) -> Answer:
        """Ask until the answer is right or the start has taken too long; give the last answer."""
        last: list[Answer] = []

        def asked() -> bool:
            last[:] = [self.helper.http(request)]
            return right(last[0])

        until(asked, self.remaining())
        return last[0]

    def remove(self) -> None:
        """Remove both."""
        self.helper.remove()
        self.container.remove()


class Live:
    """Starts containers of one image; leaving the `with` block removes the shared one."""

    def __init__(
        self,
        client: docker.DockerClient,
        image: str,
        *,
        run: Run,
        helper_image: str,
        limits: Limits | None = None,
    ) -> None:
        self.client = client
        self.image = image
        self.run = run
        self.helper_image = helper_image
        self.limits = limits or DEFAULT_LIMITS
        self._lock = threading.RLock()
        self._shared: dict[bool, Running | ContainerError] = {}

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
        return start(self.client, self.image, self.run, options)

    @contextmanager
    def running(self, options: Options | None = None, *, look: bool = True) -> Iterator[Running]:
        """Start a container of its own with a helper beside it, and remove both."""
        with self.start(options) as container, attach(container, self.helper_image, self.run, look=look) as helper:
            yield self._seen(container, helper)

    def _seen(self, container: Container, helper: Helper) -> Running:
        """Begin the time of the start when somebody can look: what the engine took before that is not the app's."""
        return Running(container, helper, time.monotonic() + self.limits.start_seconds)

    def restricted(self) -> Running:
        """Give the shared container under all restrictions, once something listens in it."""
        return self._shared_with(restrict=True)

    def serving(self) -> Running:
        """Give a shared container in which something listens: the restricted one, or else a free one."""
        try:
            return self.restricted()
        except ContainerError:
            return self._shared_with(restrict=False)

    def _shared_with(self, *, restrict: bool) -> Running:
        with self._lock:
            if restrict not in self._shared:
                self._shared[restrict] = self._start_shared(restricted(self.limits) if restrict else Options())
            shared = self._shared[restrict]
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
                undo.pop_all()
                return shared
        except ContainerError as error:
            return error

    def close(self) -> None:
        """Remove the shared containers."""
        with self._lock:
            for shared in self._shared.values():
                if isinstance(shared, Running):
                    shared.remove()
            self._shared.clear()
