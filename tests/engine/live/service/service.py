"""A small service that keeps what the live checks ask for, and breaks one thing on demand (BROKEN)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BROKEN = os.environ.get("BROKEN", "")
PORT = int(os.environ.get("PORT") or 8080)
ANY = "0.0.0.0"  # noqa: S104 -- a container's own
DRAIN_SECONDS = float(os.environ.get("DRAIN_SECONDS") or 1)
DELAY = float(os.environ.get("CHAOS_DELAY") or 0)
UNHEALTHY_AFTER = os.environ.get("CHAOS_UNHEALTHY_AFTER", "")
STARTED = time.monotonic()
draining = threading.Event()
idle: set[socket.socket] = set()
busy: set[threading.Thread] = set()
kept: list[bytes] = []


class Handler(BaseHTTPRequestHandler):
    """Answers GET."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        idle.add(self.request)

    def finish(self) -> None:
        idle.discard(self.request)
        with contextlib.suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        idle.discard(self.request)
        busy.add(threading.current_thread())
        try:
            self.answer()
        finally:
            busy.discard(threading.current_thread())
        idle.add(self.request)
        self.close_connection = self.close_connection or draining.is_set()

    def answer(self) -> None:
        status, body = 200, {"status": "ok"}
        match self.path.partition("?")[0]:
            case "/qr":
                time.sleep(DELAY)
            case "/healthz" if failing():
                status, body = 503, {"status": "failing"}
            case "/readyz" if draining.is_set() and BROKEN != "stays-ready":
                status, body = 503, {"status": "draining"}
            case "/version":
                version = "9.9.9" if BROKEN == "version" else os.environ.get("APP_VERSION", "0.0.0")
                body = {"version": version, "commit": os.environ["APP_COMMIT"], "built": os.environ["APP_BUILT"]}
            case "/" if BROKEN == "server-error":
                status = 500
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def failing() -> bool:
    if BROKEN in {"always-healthy", "never-healthy"} or not UNHEALTHY_AFTER:
        return BROKEN == "never-healthy"
    return time.monotonic() - STARTED > float(UNHEALTHY_AFTER)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def probe() -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=2) as answer:
            return 0 if answer.status == 200 else 1
    except OSError:
        return 1


def stop(server: Server) -> None:
    """Drain, close the socket and the idle connections, let the busy ones finish."""
    time.sleep(60 if BROKEN == "slow-stop" else DRAIN_SECONDS)
    server.shutdown()
    server.server_close()
    if BROKEN == "waits-for-idle":
        while idle:
            time.sleep(0.05)
    if BROKEN == "drops-requests":
        os._exit(0)
    while busy:
        time.sleep(0.01)
    os._exit(3 if BROKEN == "exit-code" else 0)


def main() -> None:
    if BROKEN == "crash":
        sys.exit("crash: this is what it says")
    if BROKEN == "writes":
        Path("/var/tmp/state").write_text("state")
    if BROKEN == "root" and os.getuid() != 0:
        sys.exit("only root may start this")
    if BROKEN == "memory":
        kept.append(b"x" * (200 << 20))
    address = "127.0.0.1" if BROKEN == "loopback" else ANY
    server = Server((address, 9090 if BROKEN == "port" else PORT), Handler)
    extra = Server((ANY, 9091), Handler) if BROKEN == "extra-port" else None
    if extra:
        threading.Thread(target=extra.serve_forever, daemon=True).start()
    if BROKEN != "ignores-sigterm":

        def on_term(*_: object) -> None:
            if not draining.is_set():
                draining.set()
                threading.Thread(target=stop, args=(server,)).start()

        signal.signal(signal.SIGTERM, on_term)
    server.serve_forever(poll_interval=0.05)
    threading.Event().wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["healthcheck"]:
        sys.exit(probe())
    main()
