"""HTTP from beside the target, well-behaved and not, down to the bytes."""

from __future__ import annotations

import base64
import contextlib
import errno
import http.client
import itertools
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import proc

ESTABLISHED = "01"
CONNECT_SECONDS = 5.0
SERVER_CLOSED = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)
PIECE = bytes(65536)
RESET = struct.pack("ii", 1, 0)
"""With this for SO_LINGER a close is a reset, and not a farewell."""

Json = dict[str, Any]


class _Exchange(threading.Thread):
    """One request and its answer, in the background."""

    def __init__(self, ask: Json) -> None:
        super().__init__(daemon=True)
        self.ask = ask
        self.answer: Json = {}
        self.local_port = 0
        self.sent = threading.Event()

    def run(self) -> None:
        self.answer = exchange(self.ask, self)
        self.sent.set()


class _Kept(threading.Thread):
    """A connection that stays open; it waits for the other side to close it."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(daemon=True)
        self.connection = connection
        self.received = b""
        self.closed_at: float | None = None

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while piece := self.connection.recv(65536):
                self.received += piece
        self.closed_at = time.monotonic()


@dataclass(frozen=True)
class Held:
    """What goes on in the background, by number."""

    numbers: Iterator[int] = field(default_factory=itertools.count)
    exchanges: dict[int, list[_Exchange]] = field(default_factory=dict)
    kept: dict[int, _Kept] = field(default_factory=dict)


def connect(ask: Json) -> socket.socket:
    """Open a connection to the target, which is this container too as far as the network goes."""
    timeout = min(float(ask.get("timeout", CONNECT_SECONDS)), CONNECT_SECONDS)
    connection = socket.create_connection((ask.get("address", "127.0.0.1"), int(ask["port"])), timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def send(connection: socket.socket, ask: Json) -> None:
    """Send the request: at once, or in pieces of `piece` bytes every `pause` seconds; then `padding` zero bytes."""
    data = base64.b64decode(ask["send"])
    piece = int(ask.get("piece", 0)) or max(len(data), 1)
    for start in range(0, len(data), piece):
        if start:
            time.sleep(float(ask["pause"]))
        connection.sendall(data[start : start + piece])
    left = int(ask.get("padding", 0))
    # Whoever answers before everything has come wants no more of it.
    while left and not select.select([connection], [], [], 0)[0]:
        left -= connection.send(PIECE[:left])


def read_answer(connection: socket.socket, method: str) -> Json:
    """Read one HTTP answer, as it was sent: headers in order, repeated ones too."""
    response = http.client.HTTPResponse(connection, method=method)
    try:
        response.begin()
        body = response.read()
        return {"status": response.status, "headers": response.getheaders(), "body": base64.b64encode(body).decode()}
    except http.client.HTTPException as error:
        names = {http.client.IncompleteRead: "cut-off", http.client.RemoteDisconnected: "closed"}
        return {"error": names.get(type(error), "not-http"), "detail": f"{type(error).__name__}: {error}"}


def read_raw(connection: socket.socket) -> Json:
    """Read whatever comes until the other side closes, or the time is up."""
    received = b""
    with contextlib.suppress(*SERVER_CLOSED, TimeoutError):
        while piece := connection.recv(65536):
            received += piece
    return {"status": 0, "headers": [], "body": base64.b64encode(received).decode()}


def exchange(ask: Json, background: _Exchange | None = None) -> Json:
    """Send one request and read its answer; times are this machine's monotonic seconds."""
    began = time.monotonic()
    answer: Json
    try:
        with connect(ask) as connection:
            connection.settimeout(float(ask.get("timeout", CONNECT_SECONDS)))
            with contextlib.suppress(*SERVER_CLOSED):  # a server may answer and close before it has read everything
                send(connection, ask)
            if background:
                background.local_port = connection.getsockname()[1]
                background.sent.set()
            answer = read_raw(connection) if ask.get("raw") else read_answer(connection, ask.get("method", "GET"))
    except OSError as error:
        answer = {"error": error_name(error), "detail": str(error)}
    ended = time.monotonic()
    return answer | {"seconds": ended - began, "ended": ended}


def error_name(error: OSError) -> str:
    """Name what came instead of an answer."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, SERVER_CLOSED):
        return "closed"
    return "refused" if isinstance(error, ConnectionRefusedError) else errno.errorcode.get(error.errno or 0, "os-error")


def hold(ask: Json, held: Held) -> Json:
    """Start requests in the background; wait until all are sent, and the target has taken them up."""
    exchanges = [_Exchange(one) for one in ask["requests"]]
    for one in exchanges:
        one.start()
    deadline = time.monotonic() + float(ask["wait"])
    for one in exchanges:
        one.sent.wait(max(0.0, deadline - time.monotonic()))
    while not all(taken := taken_up(exchanges)) and time.monotonic() < deadline:
        time.sleep(0.01)
    number = next(held.numbers)
    held.exchanges[number] = exchanges
    return {"id": number, "taken": taken}


def taken_up(exchanges: list[_Exchange]) -> list[bool]:
    """Tell for each request whether the server accepted its connection and read what was sent, or has answered already.

    In /proc/net/tcp a connection that still waits for accept() has the inode 0; unread bytes are its receive queue.
    """
    taken = {
        one["remote_port"]
        for one in proc.rows("self", "tcp") + proc.rows("self", "tcp6")
        if one["state"] == ESTABLISHED and one["inode"] and not one["unread"]
    }
    return [one.local_port in taken or "status" in one.answer for one in exchanges]


def collect(ask: Json, held: Held) -> Json:
    """Wait for the answers of what `hold` started."""
    exchanges = held.exchanges.pop(ask["id"])
    deadline = time.monotonic() + float(ask["wait"])
    for one in exchanges:
        one.join(max(0.0, deadline - time.monotonic()))
    missing = {"error": "timeout", "detail": "no answer yet", "seconds": float(ask["wait"]), "ended": time.monotonic()}
    return {"answers": [one.answer or missing for one in exchanges]}


def keep(ask: Json, held: Held) -> Json:
    """Open a connection and leave it open, after one request and its answer if there is something to send."""
    try:
        connection = connect(ask)
        connection.settimeout(float(ask.get("timeout", CONNECT_SECONDS)))
        data = base64.b64decode(ask["send"])
        connection.sendall(data)
        answer = read_answer(connection, ask.get("method", "GET")) if ask.get("answer", True) and data else {}
    except OSError as error:
        return {"error": error_name(error), "detail": str(error)}
    connection.settimeout(None)
    number = next(held.numbers)
    held.kept[number] = _Kept(connection)
    held.kept[number].start()
    return {"id": number, "answer": answer, "opened": time.monotonic()}


def abandon(ask: Json) -> Json:
    """Open connections one after the other, send a request on each, and reset it at the first byte of its answer."""
    data, begun = base64.b64decode(ask["send"]), 0
    for _ in range(int(ask["count"])):
        with contextlib.suppress(*SERVER_CLOSED), connect(ask) as connection:
            connection.settimeout(float(ask.get("timeout", CONNECT_SECONDS)))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.sendall(data)
            begun += bool(connection.recv(1))
    return {"begun": begun}


def kept(ask: Json, held: Held) -> Json:
    """Tell whether, when, and after which bytes the other side closed a kept connection; wait for it if asked."""
    thread = held.kept[ask["id"]]
    thread.join(float(ask.get("wait", 0)))
    return {"closed_at": thread.closed_at, "received": base64.b64encode(thread.received).decode()}
