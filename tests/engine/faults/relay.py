"""An engine over TCP on the loopback: what passes by is kept, and a chosen moment can be acted on."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PIECE = 65536


@dataclass
class Relay:
    """Hands every connection on to an engine's socket."""

    engine: Path
    port: int
    moment: bytes = b""
    """What a request has to hold for `act` to be called, once."""
    act: Callable[[], object] | None = None
    asked: list[bytes] = field(default_factory=list)
    """What the client has sent, piece by piece."""
    called: threading.Event = field(default_factory=threading.Event)
    """Set when somebody has connected."""
    acted: threading.Event = field(default_factory=threading.Event)

    @property
    def host(self) -> str:
        """The address, as DOCKER_HOST writes it."""
        return f"tcp://127.0.0.1:{self.port}"

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is shut down."""
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.called.set()
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as engine:
            try:
                engine.connect(str(self.engine))
            except OSError:
                return  # hung up on, as by an engine that is gone
            back = threading.Thread(target=self._pass, args=(engine, client, bool), daemon=True)
            back.start()
            self._pass(client, engine, self._look)
            back.join()

    def _pass(self, source: socket.socket, sink: socket.socket, look: Callable[[bytes], object]) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                look(piece)
                sink.sendall(piece)
        # One direction alone: an attached container's standard input ends before its output does.
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _look(self, piece: bytes) -> None:
        self.asked.append(piece)
        if self.act and self.moment in piece and not self.acted.is_set():
            self.acted.set()
            self.act()


@contextmanager
def relayed(engine: Path, moment: bytes = b"", act: Callable[[], object] | None = None) -> Iterator[Relay]:
    """Give an engine's socket an address on the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay = Relay(engine, listener.getsockname()[1], moment, act)
        taker = threading.Thread(target=relay.serve, args=(listener,), daemon=True)
        taker.start()
        try:
            yield relay
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            taker.join()
