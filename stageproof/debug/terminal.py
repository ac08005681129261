"""This end of a session: a terminal or pipes, and the bytes to and from a container."""

from __future__ import annotations

import errno
import os
import selectors
import signal
import socket
import struct
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import BinaryIO, Protocol

PIECE = 1 << 16
FRAME_HEAD = 8
STDERR = 2


class Connection(Protocol):
    """A socket to a container's standard streams."""

    def sendall(self, data: bytes, /) -> object:
        """Send all of it."""

    def recv(self, size: int, /) -> bytes:
        """Give what came; nothing at the end."""

    def shutdown(self, how: int, /) -> None:
        """End it in one direction or both."""


def has_terminal() -> bool:
    """Tell whether a person sits here: both what is typed and what is shown go through a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def interact(connection: Connection, resize: Callable[[int, int], None]) -> None:
    """Tie this terminal to a container's, keys and sizes, until the container's end closes the connection."""
    with _raw(sys.stdin.fileno()), _resized(resize):
        _exchange(connection, _write(sys.stdout.buffer), connection.sendall, b"")


def pipe(connection: Connection) -> None:
    """Send standard input in pieces, with its end, and sort what comes into standard output and error."""
    frames = _Frames()

    def send(data: bytes) -> None:
        connection.sendall(len(data).to_bytes(4, "big") + data)

    _exchange(connection, frames.take, send, bytes(4))


def _exchange(
    connection: Connection, show: Callable[[bytes], None], send: Callable[[bytes], object], end: bytes
) -> None:
    """Show what comes, in a thread of its own, and send what is typed meanwhile."""
    awake, wake = os.pipe()
    failures: list[BaseException] = []

    def listen() -> None:
        try:
            while data := connection.recv(PIECE):
                show(data)
        except (OSError, ValueError) as error:
            failures.append(error)
        finally:
            os.close(wake)
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # what is being sent now, nobody reads

    ear = threading.Thread(target=listen, daemon=True, name="debug session")
    ear.start()
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # it has ended: what it said last is shown below
            for data in _typed(sys.stdin.fileno(), awake):
                send(data) if data else connection.sendall(end)
        ear.join()
    finally:
        os.close(awake)
    if failures:
        raise failures[0]


def _typed(source: int, awake: int) -> Iterator[bytes]:
    """Give what is typed, and nothing at its end; stop when the other side has ended."""
    with selectors.DefaultSelector() as ready:
        ready.register(awake, selectors.EVENT_READ)
        try:
            ready.register(source, selectors.EVENT_READ)
        except PermissionError:  # a plain file is always ready
            while data := os.read(source, PIECE):
                yield data
            yield b""
            ready.select()
            return
        while True:
            files = {key.fileobj for key, _ in ready.select()}
            if awake in files:
                return
            data = _read(source)
            yield data
            if not data:
                ready.unregister(source)


def _read(source: int) -> bytes:
    try:
        return os.read(source, PIECE)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        raise KeyboardInterrupt from error  # the terminal was closed; the signal that says so may come later


class _Frames:
    """The engine's frames: one byte for the stream, three empty, four for the length, then the bytes."""

    def __init__(self) -> None:
        self._received = b""

    def take(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= FRAME_HEAD:
            stream, length = struct.unpack(">BxxxL", self._received[:FRAME_HEAD])
            if len(self._received) < FRAME_HEAD + length:
                return
            show = _write(sys.stderr.buffer if stream == STDERR else sys.stdout.buffer)
            show(self._received[FRAME_HEAD : FRAME_HEAD + length])
            self._received = self._received[FRAME_HEAD + length :]


def _write(sink: BinaryIO) -> Callable[[bytes], None]:
    def write(data: bytes) -> None:
        sink.write(data)
        sink.flush()

    return write


@contextmanager
def _raw(terminal: int) -> Iterator[None]:
    """Hand every key on as it is; the terminal is as before afterwards."""
    before = termios.tcgetattr(terminal)
    try:
        tty.setraw(terminal)
        yield
    finally:
        with suppress(termios.error):  # it was closed
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


@contextmanager
def _resized(resize: Callable[[int, int], None]) -> Iterator[None]:
    """Tell the size of this terminal, now and whenever it changes."""

    def tell(_signal: int = 0, _frame: FrameType | None = None) -> None:
        size = os.get_terminal_size(sys.stdout.fileno())
        resize(size.lines, size.columns)

    before = signal.signal(signal.SIGWINCH, tell)
    try:
        tell()
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


@contextmanager
def hangup_as_interrupt() -> Iterator[None]:
    """Let a closed terminal unwind as Ctrl-C does, so that everything that was started is removed."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGHUP, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
