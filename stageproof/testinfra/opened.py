"""The containers that were opened by a host's name: one engine, one run, and everything removed at the end."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, cached_property

from docker import DockerClient

from stageproof import helper
from stageproof.engine import find, images
from stageproof.errors import NothingBuiltError
from stageproof.live import Options, Run, named, sweep
from stageproof.live.container import start
from stageproof.live.restrictions import DEFAULT_LIMITS
from stageproof.testinfra.inside import Inside, look_into

HELPER_VARIABLE = "STAGEPROOF_HELPER_IMAGE"
"""The environment variable that names another helper image than this version's own."""
LIMITED = Options(memory=DEFAULT_LIMITS.memory, pids=DEFAULT_LIMITS.pids, no_new_privileges=True)
"""How an image is started if nothing else is said: as itself, with its loopback alone, and a bound on what it takes."""


class _Opened:
    """An engine, and what is to be removed at the end."""

    def __init__(self) -> None:
        self.undo = ExitStack()
        self.client: DockerClient = images.reach()
        self.undo.callback(self.client.close)
        sweep(self.client)
        self.run = Run.new(os.environ.get("PYTEST_XDIST_TESTRUNUID", "")[:8])

    @cached_property
    def helper(self) -> str:
        chosen = os.environ.get(HELPER_VARIABLE)
        return chosen or helper.ensure(self.client, find.ensure, self.run)


@cache
def _opened() -> _Opened:
    opened = _Opened()
    atexit.register(close)
    return opened


def close() -> None:
    """Remove every helper and every container that was started here, and close the connection to the engine."""
    if _opened.cache_info().currsize:
        opened = _opened()
        _opened.cache_clear()
        atexit.unregister(close)
        opened.undo.close()


def container(name: str, user: str | None = None) -> Inside:
    """Open a running container by its name or id; it is left as it is.

    Raises UsageError where there is none, ContainerError where it does not run, HelperError, EngineError.
    """
    opened = _opened()
    found = named.find(opened.client, name)
    return opened.undo.enter_context(look_into(found, opened.helper, opened.run, user))


def image(name: str, user: str | None = None, options: Options | None = None) -> Inside:
    """Start a container of an image, as `started` does; it is removed when this process ends."""
    return _opened().undo.enter_context(started(name, user, options))


@contextmanager
def started(
    name: str, user: str | None = None, options: Options | None = None, *, seconds: float = DEFAULT_LIMITS.start_seconds
) -> Iterator[Inside]:
    """Start a container of an image, wait until something listens if it exposes a TCP port, and remove it.

    Raises NothingBuiltError where the engine has no such image, ContainerError where it does not start within the
    seconds, HelperError, EngineError.
    """
    opened = _opened()
    with ExitStack() as undo:
        try:
            target = undo.enter_context(start(opened.client, name, opened.run, options or LIMITED))
        except NothingBuiltError as error:
            do = "build or pull it first; in a host's address a slash of its name is written %2F"
            raise NothingBuiltError(error.failed, seen=error.seen, do=do) from error
        inside = undo.enter_context(look_into(target, opened.helper, opened.run, user))
        exposed = inside.about["Config"].get("ExposedPorts") or {}
        if any(not port.endswith("/udp") for port in exposed):
            target.wait_for(lambda: _listens(inside), seconds, "something listens in it")
        yield inside


def _listens(inside: Inside) -> bool:
    return any(one["protocol"] == "tcp" and one["state"] == "listening" for one in inside.ask("sockets")["sockets"])
