"""host.system_info, mount_point, environment, sysctl and service, as testinfra documents them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from testinfra.modules.environment import Environment
from testinfra.modules.mountpoint import LinuxMountPoint
from testinfra.modules.service import Service
from testinfra.modules.sysctl import Sysctl
from testinfra.modules.systeminfo import SystemInfo

from stageproof.errors import QuestionError
from stageproof.testinfra.inside import Inside, inside_of

OF_OS_RELEASE = {"ID": "distribution", "VERSION_ID": "release", "VERSION_CODENAME": "codename"}
OF_ANOTHER_NAMESPACE = re.compile(r"kernel/(hostname|domainname|msg.*|sem.*|shm.*|auto_msgmni)|fs/mqueue/.*")
"""Parameters of which the helper container has its own: it shares the network and the processes (sysctl(8))."""
ESCAPED = re.compile(r"\\([0-7]{3})")
"""How the kernel writes spaces and the like in its table of mounts."""


class ContainerSystemInfo(SystemInfo):
    """What the container's own files say of its system; the kernel and the machine are the engine's host's."""

    @cached_property
    def sysinfo(self) -> dict[str, str | None]:
        """All of it."""
        inside = inside_of(self._host)
        seen = inside.ask("hello")
        found: dict[str, str | None] = dict.fromkeys(("distribution", "codename", "release"))
        return found | {"type": seen["system"].lower(), "arch": seen["machine"]} | _distribution(inside)


def _distribution(inside: Inside) -> dict[str, str]:
    lines = [line.partition("=") for line in inside.text("/etc/os-release").splitlines()]
    if lines:
        found = {OF_OS_RELEASE[name]: value.strip().strip("\"'") for name, _, value in lines if name in OF_OS_RELEASE}
        return found | ({"release": "rolling"} if found.get("distribution") == "arch" else {})
    if match := re.match(r"(.+) release ([^ ]+) ", inside.text("/etc/redhat-release")):
        return {"distribution": match[1], "release": match[2]}
    if alpine := inside.text("/etc/alpine-release").strip():
        return {"distribution": "alpine", "release": alpine}
    return {}


class ContainerMountPoint(LinuxMountPoint):
    """What is mounted in the container; of mounts over each other the one that is seen."""

    @classmethod
    def _iter_mountpoints(cls) -> Iterator[dict[str, Any]]:
        lines = inside_of(cls._host).read("/proc/1/mounts").decode("utf-8", "surrogateescape").splitlines()
        seen: dict[str, dict[str, Any]] = {}
        for line in lines:
            device, path, filesystem, options = (_plain(word) for word in line.split()[:4])
            seen.pop(path, None)
            seen[path] = {"path": path, "device": device, "filesystem": filesystem, "options": options.split(",")}
        yield from seen.values()


def _plain(word: str) -> str:
    return ESCAPED.sub(lambda match: chr(int(match[1], 8)), word)


class ContainerEnvironment(Environment):
    """The environment that the engine gives to a command in the container."""

    def __call__(self) -> dict[str, str]:
        """Give all variables."""
        return inside_of(self._host).environment()


class ContainerSysctl(Sysctl):
    """The kernel's parameters, those of the container's network as they are in it."""

    def __call__(self, name: str) -> int | str:
        """Give one. Raise AbsentError where there is none, QuestionError where only the container itself sees it."""
        inside, path = inside_of(self._host), name.replace(".", "/")
        if OF_ANOTHER_NAMESPACE.fullmatch(path):
            failed = f"{name} of {inside.container.name} cannot be told"
            raise QuestionError(failed, why="each container has its own, and only its own programs see it")
        value = inside.read(f"/proc/sys/{path}").decode().strip()
        return int(value) if value.lstrip("-").isdigit() else value


def service_class(host: Any) -> type[Service]:  # noqa: ANN401 -- any host of testinfra
    """Give testinfra's own, which asks the container's service manager. Raise QuestionError where there is no shell."""
    inside = inside_of(host)
    if not inside.find_program("/bin/sh") and not inside.find_program("sh"):
        failed = f"the services of {inside.container.name} cannot be told"
        why = "without a shell there is no service manager that could be asked"
        raise QuestionError(failed, seen="the container has no shell", why=why, do="ask with host.process, host.socket")
    found: type[Service] = Service.get_module_class(host)
    return found
