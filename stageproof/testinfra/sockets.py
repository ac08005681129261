"""host.socket, as testinfra documents it, from what the kernel knows of the container's network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from testinfra.modules.socket import Socket

from stageproof.testinfra.inside import inside_of

EVERY_V4, EVERY_V6 = "0.0.0.0", "::"  # noqa: S104 -- compared with, not listened on


class ContainerSocket(Socket):
    """A socket of a container's network."""

    @property
    def is_listening(self) -> bool:
        """Tell whether somebody listens there: on that address, or on every one of its family.

        Without an address: on every address of both families.
        """
        sockets = set(self._iter_sockets(listening=True))
        if self.protocol == "unix":
            return ("unix", self.host) in sockets
        v4, v6 = ((self.protocol, every, self.port) in sockets for every in (EVERY_V4, EVERY_V6))
        if self.host is None:
            return v4 and v6
        return (self.protocol, self.host, self.port) in sockets or (v6 if ":" in self.host else v4)

    def _iter_sockets(self, listening: bool) -> Iterator[tuple[Any, ...]]:
        for one in inside_of(self._host).ask("sockets")["sockets"]:
            if self.protocol in {None, one["protocol"]} and (one["state"] != "established") == listening:
                yield from _listening(one) if listening else _connected(one)


def _listening(one: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    if one["protocol"] == "unix":
        yield "unix", one["path"]
        return
    yield one["protocol"], one["address"], one["port"]
    if one["address"] == EVERY_V6 and not one["only_v6"]:
        yield one["protocol"], EVERY_V4, one["port"]


def _connected(one: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    if one["protocol"] == "unix":
        yield "unix", one["path"]
    else:
        yield one["protocol"], one["address"], one["port"], one["remote_address"], one["remote_port"]
