"""Threads beside the reader: one works on pieces that were read, one reads ahead."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator

_WAITING = 8
"""Pieces that may wait: memory stays bounded, and the faster of the two waits for the slower."""
_PIECE = 1 << 20
_SECONDS = 5
"""How long an end is waited for whose work nobody wants any more: the source may be silent."""


class Aside:
    """Gives every piece to a function, in order. Worth it where that releases Python's lock, as hashing does."""

    def __init__(self, consume: Callable[[bytes], object]) -> None:
        self._consume = consume
        self._todo: queue.Queue[bytes | None] = queue.Queue(maxsize=_WAITING)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self._todo.put(piece)

    def finish(self) -> None:
        """Wait until all is done. Raises what the function raised."""
        self._todo.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (piece := self._todo.get()) is not None:
            if self._error is None:
                try:
                    self._consume(piece)
                except BaseException as error:  # noqa: BLE001 -- it is raised where the result is asked for
                    self._error = error


def ahead(pieces: Iterable[bytes]) -> Generator[bytes, None, None]:
    """Give the same bytes in pieces of about a megabyte, read in a thread of its own. Raises what reading raises.

    An engine sends 32 KiB at a time, and each piece passes through many hands.
    """
    ready: queue.Queue[bytes | BaseException | None] = queue.Queue(maxsize=_WAITING)
    stop = threading.Event()

    def work() -> None:
        try:
            for piece in _gathered(pieces):
                ready.put(piece)
                if stop.is_set():
                    break
        except BaseException as error:  # noqa: BLE001 -- it is raised where the pieces are read
            ready.put(error)
        ready.put(None)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while (piece := ready.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece
    finally:
        stop.set()
        while thread.is_alive() and _is_coming(ready):
            pass
        thread.join(_SECONDS)


def _is_coming(ready: queue.Queue[bytes | BaseException | None]) -> bool:
    """Make room for one that is to be put, so that its thread goes on and ends."""
    try:
        return ready.get(timeout=_SECONDS) is not None
    except queue.Empty:
        return False


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield waiting[0] if len(waiting) == 1 else b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)
