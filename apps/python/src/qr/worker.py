"""gunicorn's threaded worker, made to wait without a thread and to stop in order."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.http import get_parser
from gunicorn.workers.gthread import ThreadWorker

from qr.arrival import Arrival, TooLarge

if TYPE_CHECKING:
    from concurrent.futures import Future

    from qr.lifecycle import Lifecycle

ARRIVAL_SECONDS = 10.0
LINGER_SECONDS = 2.0
TICK_SECONDS = 1.0
RECEIVE = 65_536
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Worker(ThreadWorker):
    """Gives a connection a thread only while its request is worked on.

    gunicorn's own worker reads requests, and waits for clients to close, in its threads and its main loop: a few slow
    clients then keep all others waiting.
    """

    def __init__(self, *args: Any) -> None:
        """Take what the arbiter gives a worker."""
        super().__init__(*args)
        self.lifecycle: Lifecycle = self.app.lifecycle
        self.arrivals: dict[Any, Arrival] = {}
        # When a connection's time is over; both in that order.
        self.arrive_by: dict[Any, float] = {}
        self.linger_until: dict[Any, float] = {}

    # Signals

    def init_signals(self) -> None:
        """Leave SIGINT to the arbiter: a terminal sends it to both."""
        super().init_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def handle_exit(self, sig: int, frame: object) -> None:
        """Stop when the arbiter says so; a SIGTERM to the whole process group comes too early."""
        if self.lifecycle.stopping:
            super().handle_exit(sig, frame)

    def handle_quit(self, _sig: int, _frame: object) -> None:
        """Stop at once; a normal exit would wait for the threads."""
        os._exit(0)

    # The loop

    def run(self) -> None:
        """Serve until told to stop, then finish what has begun."""
        self.poller.register(self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks)
        self.set_accept_enabled(True)
        self.lifecycle.ready()
        # The flag is asked too, since a signal that came before there was a handler is lost.
        while self.alive and not self.lifecycle.stopping and self.is_parent_alive():
            self.set_accept_enabled(self.nr_conns < self.worker_connections)
            self._turn(TICK_SECONDS)
        deadline = time.monotonic() + self.app.config.shutdown_seconds
        self._close_what_is_idle()
        while self._in_flight() and time.monotonic() < deadline:
            self._turn(min(TICK_SECONDS, max(0.0, deadline - time.monotonic())))
        if left := self._in_flight():
            self.log.warning("%d requests were not finished in time", left)
            # A normal exit would wait for their threads.
            os._exit(0)

    def _turn(self, timeout: float) -> None:
        self.notify()
        self.wait_for_and_dispatch_events(timeout)
        self.murder_keepalived()
        now = time.monotonic()
        for times in (self.arrive_by, self.linger_until):
            while times and next(iter(times.values())) <= now:
                self._drop(next(iter(times)))

    def _in_flight(self) -> int:
        return int(self.nr_conns) - len(self.keepalived_conns) - len(self.linger_until)

    def _close_what_is_idle(self) -> None:
        """Take the connections that wait to be accepted, close the socket, and all connections without a request."""
        self.alive = False
        self.set_accept_enabled(False)
        for listener in self.sockets:
            before = -1
            while before != self.nr_conns:
                before = self.nr_conns
                self.accept(listener)
            listener.close()
        self.wait_for_and_dispatch_events(0)
        self.murder_keepalived(force=True)
        for conn, arrival in list(self.arrivals.items()):
            if not arrival.data:
                self._drop(conn)

    # A request comes in

    def enqueue_req(self, conn: Any) -> None:
        """Wait for the whole request; gunicorn calls this when there may be a first byte."""
        self.arrivals[conn] = Arrival()
        self.arrive_by[conn] = time.monotonic() + ARRIVAL_SECONDS
        conn.sock.settimeout(0)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._receive, conn))
        if conn.parser:
            self._feed(conn, conn.parser.unreader.take_buffered())

    def _receive(self, conn: Any, client: socket.socket) -> None:
        try:
            data = client.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._feed(conn, data)
        else:
            self._drop(conn)

    def _feed(self, conn: Any, data: bytes) -> None:
        arrival = self.arrivals[conn]
        try:
            complete = arrival.feed(data)
            if arrival.awaits_continue and not complete:
                conn.sock.send(CONTINUE)
        except (TooLarge, OSError):
            self._drop(conn)
            return
        arrival.awaits_continue = False
        if complete:
            # A client that does not read its answers gets no thread for more of them.
            self.poller.modify(conn.sock, selectors.EVENT_WRITE, partial(self._hand_over, conn))

    def _hand_over(self, conn: Any, _client: socket.socket) -> None:
        """Give the connection a thread: all of the request is here, and there is room for the answer."""
        data = bytes(self.arrivals[conn].data)
        self._forget(conn)
        conn.parser = conn.parser or get_parser(self.cfg, conn.sock, conn.client)
        conn.parser.unreader.unread(data)
        conn.data_ready = True
        super().enqueue_req(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer; a connection that carried a body ends here, so that none of it is taken for a request."""
        if any(name in ("CONTENT-LENGTH", "TRANSFER-ENCODING") for name, _ in req.headers):
            req.force_close()
        return super().handle_request(req, conn)

    # A connection ends

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Keep the connection for the next request, or close it."""
        if self.alive and not fs.cancelled() and not fs.exception() and fs.result():
            super().finish_request(conn, fs)
        else:
            self._linger(conn)

    def _linger(self, conn: Any) -> None:
        """Close for writing, and for reading when the client has: closing at once can cut off the answer."""
        self.linger_until[conn] = time.monotonic() + LINGER_SECONDS
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.settimeout(0)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._discard, conn))
        except (OSError, ValueError):
            self._drop(conn)

    def _discard(self, conn: Any, client: socket.socket) -> None:
        try:
            if client.recv(RECEIVE):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._drop(conn)

    def _drop(self, conn: Any) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.close()

    def _forget(self, conn: Any) -> None:
        for known in (self.arrivals, self.arrive_by, self.linger_until):
            known.pop(conn, None)
        # Some never came to wait.
        with suppress(KeyError, ValueError):
            self.poller.unregister(conn.sock)
