"""Work on a stream's pieces in a thread of its own, while they are read."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

_WAITING = 8
"""Pieces that may wait: memory stays bounded, and the reader waits for the slower of the two."""


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
