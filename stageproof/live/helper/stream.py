"""The lines to and from a container's standard streams, over the engine's one connection."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from typing import Any

STDOUT = 1
FRAME_HEAD = 8


class StreamEndedError(Exception):
    """The other side is gone, or does not answer."""


class Stream:
    """Writes lines to standard input, reads lines from standard output, and keeps what comes on standard error."""

    def __init__(self, attached: Any) -> None:  # noqa: ANN401 -- the SDK gives another type for each way to an engine
        # Over a Unix socket or plain TCP the SDK hands out a read-only wrapper around the socket.
        self._socket = getattr(attached, "_sock", attached)
        self._attached = attached
        self._socket.settimeout(None)  # who waits for an answer has a deadline; the wire itself has none
        self._turn = threading.Lock()
        self._received = b""
        self._output = b""
        self.errors = b""

    def write_line(self, line: bytes) -> None:
        """Send one line."""
        try:
            with self._turn:
                self._socket.sendall(line + b"\n")
        except OSError as error:
            raise StreamEndedError(str(error)) from error

    def read_line(self) -> bytes:
        """Read one line of standard output, however long it takes."""
        while b"\n" not in self._output:
            try:
                received = self._receive()
            except (OSError, ValueError) as error:
                raise StreamEndedError(str(error)) from error
            if not received:
                message = "the connection ended"
                raise StreamEndedError(message)
            self._received += received
            self._sort()
        line, _, self._output = self._output.partition(b"\n")
        return line

    def _receive(self) -> bytes:
        if not isinstance(self._socket, ssl.SSLSocket):
            return bytes(self._socket.recv(65536))
        # One TLS connection must not be read and written at the same time: wait first, then take a turn.
        if not self._socket.pending():
            select.select([self._socket], [], [])
        with self._turn:
            return self._socket.recv(65536)

    def _sort(self) -> None:
        """Cut what was received into frames: one byte for the stream, three empty, four for the length."""
        while len(self._received) >= FRAME_HEAD:
            stream, length = struct.unpack(">BxxxL", self._received[:FRAME_HEAD])
            if len(self._received) < FRAME_HEAD + length:
                return
            data = self._received[FRAME_HEAD : FRAME_HEAD + length]
            self._received = self._received[FRAME_HEAD + length :]
            if stream == STDOUT:
                self._output += data
            else:
                self.errors += data

    def hang_up(self) -> None:
        """End the connection; the program at the other end sees the end of its input, and whoever reads here too."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close what has been hung up, when nobody reads any more."""
        self._attached.close()
        self._socket.close()
