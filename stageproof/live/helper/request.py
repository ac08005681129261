"""One HTTP request, down to its bytes."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DEFAULT_PORT = 8080
DEFAULT_SECONDS = 10.0


@dataclass(frozen=True)
class Request:
    """What is sent. The target and the header values are sent as they stand: nothing is encoded, nothing is mended."""

    target: str | bytes = "/"
    method: str = "GET"
    port: int = DEFAULT_PORT
    address: str = "127.0.0.1"
    headers: Sequence[tuple[str, str]] | Mapping[str, str] = ()
    body: bytes | None = None
    keep_alive: bool = False
    bytes_: bytes | None = None
    """The whole request, instead of all the above but the port and the method."""
    until_closed: bool = False
    """Read whatever comes until the connection is closed, and give it as the body of an answer with status 0."""
    seconds: float = DEFAULT_SECONDS
    piece: int = 0
    """Send so many bytes at a time, with a pause between; 0: all at once."""
    pause: float = 0.0
    padding: int = 0
    """Zero bytes that follow, made by the helper itself: for bodies too large to be told."""

    @property
    def raw(self) -> bytes:
        """Give the bytes of the request."""
        if self.bytes_ is not None:
            return self.bytes_
        target = self.target if isinstance(self.target, bytes) else self.target.encode()
        headers = list(self.headers.items() if isinstance(self.headers, Mapping) else self.headers)
        names = {name.lower() for name, _ in headers}
        if "host" not in names:
            headers.insert(0, ("Host", f"localhost:{self.port}"))
        if "connection" not in names and not self.keep_alive:
            headers.append(("Connection", "close"))
        if self.body is not None and not names & {"content-length", "transfer-encoding"}:
            headers.append(("Content-Length", str(len(self.body))))
        lines = [b"%s %s HTTP/1.1" % (self.method.encode(), target)]
        lines += [f"{name}: {value}".encode() for name, value in headers]
        return b"\r\n".join(lines) + b"\r\n\r\n" + (self.body or b"")

    def question(self) -> dict[str, Any]:
        """Give it in the agent's words."""
        return {
            "address": self.address,
            "port": self.port,
            "method": self.method,
            "send": base64.b64encode(self.raw).decode(),
            "raw": self.until_closed,
            "timeout": self.seconds,
            "piece": self.piece,
            "pause": self.pause,
            "padding": self.padding,
        }
