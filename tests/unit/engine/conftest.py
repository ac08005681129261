"""A stand-in of an engine: it answers the two questions that tell who it is. The real one is in tests/engine/."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest


class Server(socketserver.ThreadingUnixStreamServer):
    """An HTTP server on a Unix socket."""

    daemon_threads = True
    version = ""


class Handler(BaseHTTPRequestHandler):
    """Answers /version and /info."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        answers = {
            "version": {"Version": self.server.version, "ApiVersion": "1.44", "Components": [{"Name": "Engine"}]},
            "info": {"ID": "x", "DriverStatus": []},
        }
        body = json.dumps(answers[self.path.rpartition("/")[2]]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def engine_of_version(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Start something that says it is an engine of that version; give its DOCKER_HOST."""
    servers: list[Server] = []

    def start(version: str) -> str:
        path = tmp_path / f"{len(servers)}.sock"
        server = Server(str(path), Handler)
        server.version = version
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"unix://{path}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def program() -> Callable[[Path, str], Path]:
    """Write a small shell program, and give its folder, for a PATH."""

    def write(path: Path, body: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path.parent

    return write
