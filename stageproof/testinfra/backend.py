"""The backends that testinfra knows as `stageproof://CONTAINER` and `stageproof-image://IMAGE`."""

from __future__ import annotations

import posixpath
import types
import urllib.parse
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host
from testinfra.modules.base import InstanceModule, Module

from stageproof.live import Options
from stageproof.testinfra import command as commands
from stageproof.testinfra import opened, packages, system
from stageproof.testinfra.files import ContainerFile
from stageproof.testinfra.inside import Inside
from stageproof.testinfra.processes import ContainerProcess
from stageproof.testinfra.sockets import ContainerSocket
from stageproof.testinfra.users import ContainerGroup, ContainerUser

MODULES: dict[str, type[Module]] = {
    "environment": system.ContainerEnvironment,
    "file": ContainerFile,
    "group": ContainerGroup,
    "mount_point": system.ContainerMountPoint,
    "process": ContainerProcess,
    "socket": ContainerSocket,
    "sysctl": system.ContainerSysctl,
    "system_info": system.ContainerSystemInfo,
    "user": ContainerUser,
}
"""What answers in the place of testinfra's own modules, which ask programs of the container."""


class ContainerBackend(BaseBackend):
    """A running container, by its name or id: `stageproof://[USER@]CONTAINER`. It is opened when it is first asked."""

    NAME = "stageproof"

    def __init__(self, name: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- testinfra's own options
        container, self.user = self.parse_containerspec(name)
        super().__init__(urllib.parse.unquote(container), *args, **kwargs)

    @cached_property
    def inside(self) -> Inside:
        """The container, with a helper beside it. Raises UsageError, ContainerError, HelperError, EngineError."""
        return opened.container(self.hostname, self.user)

    def set_host(self, host: Host) -> None:
        """Let our modules answer; those that are not ours ask through `run`."""
        super().set_host(host)
        for name, module in MODULES.items():
            setattr(host, name, _bound(module, host))
        # Which class answers is for the container to say, so it is asked when it is first needed.
        chosen = {"package": packages.module_class, "service": system.service_class}
        for name, choose in chosen.items():
            setattr(host, name, _Chosen(host, choose))
        host.exists = types.MethodType(exists, host)  # type: ignore[method-assign]
        host.find_command = types.MethodType(find_command, host)  # type: ignore[method-assign]

    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:  # noqa: ANN401, ARG002 -- testinfra's
        """Run a command line in the container. Raises QuestionError where that needs a shell and there is none."""
        line = self.get_command(command, *args)
        output = commands.run(self.inside, line)
        return self.result(output.code, self.encode(line), output.stdout, output.stderr)

    def get_encoding(self) -> str:
        """Give the encoding of what commands print; testinfra would ask the container's Python."""
        return "utf-8"


class ImageBackend(ContainerBackend):
    """A container that is started from an image and removed at the end: `stageproof-image://[USER@]IMAGE`.

    A slash in the image's name is written %2F, because testinfra drops what follows one.
    """

    NAME = "stageproof-image"

    def __init__(self, name: str, *args: Any, options: Options | None = None, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(name, *args, **kwargs)
        image = name.removeprefix(f"{self.user}@") if self.user and not _is_digest(name) else name
        self.user = self.user if image != name else None
        self.hostname = urllib.parse.unquote(image)
        self._options = options

    @cached_property
    def inside(self) -> Inside:
        """The container, started now. Raises NothingBuiltError, ContainerError, HelperError, EngineError."""
        return opened.image(self.hostname, self.user, self._options)


def _is_digest(name: str) -> bool:
    return "@" in name and name.partition("@")[2].startswith("sha256:")


class OpenBackend(ContainerBackend):
    """A container that is open already: for a fixture that sees to its end."""

    def __init__(self, inside: Inside) -> None:
        super().__init__(inside.container.name)
        self.__dict__["inside"] = inside


class _Chosen:
    """A module whose class is chosen when it is first used."""

    def __init__(self, host: Host, choose: Any) -> None:  # noqa: ANN401 -- a function from host to class
        self._host = host
        self._choose = choose

    def __call__(self, *args: Any) -> Any:  # noqa: ANN401 -- the module's own
        return self._module(*args)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- the module's own
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._module, name)

    @cached_property
    def _module(self) -> Any:  # noqa: ANN401 -- a class of testinfra's kind
        return _bound(self._choose(self._host), self._host)


def _bound(module: type[Module], host: Host) -> Any:  # noqa: ANN401 -- a class, or an instance, of testinfra's kind
    """Tie a module to a host as testinfra does, without asking the module which class is right for the host."""
    bound = type(module.__name__, (module,), {"_host": host})
    return bound() if issubclass(module, InstanceModule) else bound


def exists(host: Host, command: str) -> bool:
    """Tell whether there is such a program in the PATH of the container, for the user of its commands."""
    return _inside(host).find_program(command) is not None


def find_command(host: Host, command: str, extrapaths: Iterable[str] = ("/sbin", "/usr/sbin")) -> str:
    """Give the path of a program. Raise ValueError where there is none."""
    inside = _inside(host)
    found = inside.find_program(command) or next(
        (path for folder in extrapaths if (path := inside.find_program(posixpath.join(folder, command)))), None
    )
    if found is None:
        message = f'cannot find "{command}" command'
        raise ValueError(message)
    return found


def _inside(host: Host) -> Inside:
    backend = host.backend
    if not isinstance(backend, ContainerBackend):
        raise TypeError(type(backend))
    return backend.inside


def host_of(inside: Inside) -> Host:
    """Give a testinfra host for an open container; it is not remembered."""
    backend = OpenBackend(inside)
    host = Host(backend)
    backend.set_host(host)
    return host
