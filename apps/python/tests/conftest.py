from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEADLINE = 60.0


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.01)


@dataclass
class Service:
    """The service as its users start it: a process of its own."""

    process: subprocess.Popen[bytes]
    port: int
    output: Path

    def get(self, path: str, method: str = "GET") -> tuple[int, dict[str, Any] | bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        with contextlib.closing(connection):
            connection.request(method, path)
            response = connection.getresponse()
            body = response.read()
            return response.status, json.loads(body) if "json" in response.headers["Content-Type"] else body

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)

    def state(self) -> str:
        try:
            status, body = self.get("/readyz")
        except OSError:
            return "refused"
        assert isinstance(body, dict)
        assert (status == 200) == (body["status"] == "ready")
        return str(body["status"])

    def wait_for_state(self, state: str) -> None:
        wait_for(lambda: self.state() == state, f"/readyz to say {state}")

    def established(self) -> int:
        """How many connections the service holds, as the kernel counts them."""
        local, open_ = f":{self.port:04X}", "01"
        tables = [path for path in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if path.exists()]
        lines = [line.split() for table in tables for line in table.read_text(encoding="ascii").splitlines()]
        return sum(line[1].endswith(local) and line[3] == open_ for line in lines)

    def send(self, signal: int) -> None:
        self.process.send_signal(signal)

    def exit_code(self) -> int:
        return self.process.wait(DEADLINE)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.read_text().splitlines()]

    def logged(self, message: str) -> bool:
        return any(message in line["message"] for line in self.log())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    started = []

    def begin(**environment: str) -> Service:
        port = free_port()
        output = tmp_path / f"{port}.log"
        with output.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "qr"],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PORT": str(port), **environment},
                stdout=out,
                start_new_session=True,
            )
        started.append(process)
        return Service(process, port, output)

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(DEADLINE)


@pytest.fixture
def serve(start: Callable[..., Service]) -> Callable[..., Service]:
    def begin(**environment: str) -> Service:
        service = start(**environment)
        service.wait_for_state("ready")
        return service

    return begin
