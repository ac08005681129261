"""How a container is started: its environment, and what it must live without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from docker.types import LogConfig

NANOSECONDS = 1_000_000_000
MILLISECOND = 1_000_000
PROBE_SECONDS = 10
"""How long a health command may take here: the image's own limit is for machines that are not busy with tests."""


@dataclass(frozen=True)
class Options:
    """The image as it is, if nothing is said; no network but the loopback, because the tests come from beside it."""

    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    read_only: bool = False
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    drop_capabilities: bool = False
    no_new_privileges: bool = False
    memory: int | None = None
    """Bytes; swap is off."""
    pids: int | None = None
    network: str = "none"
    sysctls: Mapping[str, str] = field(default_factory=dict)
    health_seconds: float | None = None
    """Run the image's own health command this often, and believe the first answer; None: no health checks."""
    command: Sequence[str] | None = None
    """Other arguments for the entry point."""
    program: Sequence[str] | None = None
    """Another entry point, with its arguments."""
    volumes_of: str = ""
    """A container whose volumes it has too, and cannot write to."""
    log_bytes: int | None = None
    """How much of its log the engine keeps, in a file of its own; None: as the engine does it."""
    restarts: int = 0
    """How often the engine may start it again after a failure."""

    def arguments(self) -> dict[str, Any]:
        """Give the keyword arguments of the Docker SDK's `containers.create`."""
        given: dict[str, Any] = {
            "environment": dict(self.env),
            "network_mode": self.network,
            "read_only": self.read_only,
            "tmpfs": dict(self.tmpfs),
            "healthcheck": self._health(),
        }
        return given | self._limits() | self._started()

    def _limits(self) -> dict[str, Any]:
        given: dict[str, Any] = {}
        if self.user is not None:
            given["user"] = self.user
        if self.drop_capabilities:
            given["cap_drop"] = ["ALL"]
        if self.no_new_privileges:
            given["security_opt"] = ["no-new-privileges"]
        if self.memory is not None:
            given |= {"mem_limit": self.memory, "memswap_limit": self.memory}
        if self.pids is not None:
            given["pids_limit"] = self.pids
        if self.log_bytes is not None:
            limits = {"max-size": str(self.log_bytes), "max-file": "1"}
            given["log_config"] = LogConfig(type=LogConfig.types.JSON, config=limits)
        return given

    def _started(self) -> dict[str, Any]:
        given: dict[str, Any] = {}
        if self.sysctls:
            given["sysctls"] = dict(self.sysctls)
        if self.restarts:
            given["restart_policy"] = {"Name": "on-failure", "MaximumRetryCount": self.restarts}
        if self.command is not None:
            given["command"] = list(self.command)
        if self.program is not None:
            given["entrypoint"] = list(self.program)
        if self.volumes_of:
            given["volumes_from"] = [f"{self.volumes_of}:ro"]
        return given

    def _health(self) -> dict[str, Any]:
        if self.health_seconds is None:
            return {"test": ["NONE"]}
        # Without a test of its own the engine takes the image's. Zero would mean the image's start period too.
        interval = int(self.health_seconds * NANOSECONDS)
        timeout = PROBE_SECONDS * NANOSECONDS
        return {"interval": interval, "timeout": timeout, "start_period": MILLISECOND, "retries": 1}
