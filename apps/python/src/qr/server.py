"""Flask on gunicorn: one process that watches, one that serves with threads."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import TYPE_CHECKING

from gunicorn.app.base import BaseApplication
from gunicorn.http import wsgi

from qr.arbiter import DrainingArbiter
from qr.lifecycle import Lifecycle
from qr.logs import GunicornLogger, configure
from qr.web import create_app
from qr.worker import Worker

if TYPE_CHECKING:
    from flask import Flask

    from qr.config import Config

THREADS = 32
CONNECTIONS = 800
BACKLOG = 1024
# Longer than load balancers usually keep theirs, so that these and not the server close idle connections.
KEEP_ALIVE_SECONDS = 75
# Whenever the kernel calls such a buffer writable, the largest answer fits in: no thread waits for a client.
SEND_BUFFER = 128 * 1024
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - gunicorn makes a nameless file there


def serve(config: Config) -> int:
    """Serve until a signal ends it; only a failed start returns."""
    configure(config.log_level)
    # The header `Server` of every answer: the app's own name, and not the library's.
    wsgi.SERVER = "qr"
    lifecycle = Lifecycle()
    app = create_app(config, lifecycle)
    try:
        listener = listen(config.port)
    except OSError as error:
        sys.stderr.write(f"PORT: cannot listen on {config.port}: {os.strerror(error.errno or 0)}\n")
        return 1
    Server(config, lifecycle, app, listener).run()
    return 0


def listen(port: int) -> socket.socket:
    """Listen on all interfaces: IPv4 and IPv6, or IPv4 alone where IPv6 is off."""
    try:
        listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES):
            raise
        listener = socket.create_server(("0.0.0.0", port), backlog=BACKLOG)  # noqa: S104 - a container's job
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    return listener


class Server(BaseApplication):
    """gunicorn with its settings in code, deaf to its own variables and configuration files."""

    def __init__(self, config: Config, lifecycle: Lifecycle, app: Flask, listener: socket.socket) -> None:
        """Take what both processes share."""
        self.config = config
        self.lifecycle = lifecycle
        self.app = app
        self.listener = listener.detach()
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings."""
        settings = {
            "bind": f"fd://{self.listener}",
            "workers": 1,
            "worker_class": Worker,
            "threads": THREADS,
            "worker_connections": CONNECTIONS,
            "keepalive": KEEP_ALIVE_SECONDS,
            "limit_request_line": 8190,
            # The worker keeps to the deadline itself; the arbiter waits a little longer before it kills.
            "graceful_timeout": self.config.shutdown_seconds + 1,
            # Its heartbeat file belongs in memory, and the root may be read-only.
            "worker_tmp_dir": SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None,
            # It would make a socket file in a home that the user may not have.
            "control_socket_disable": True,
            "logger_class": GunicornLogger,
            "errorlog": None,
            "loglevel": self.config.log_level,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Give the application, made before the fork so that both processes share its memory."""
        return self.app

    def run(self) -> None:
        """Run until the end; leaves by SystemExit."""
        DrainingArbiter(self).run()
