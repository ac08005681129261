"""How long a stream's gzip is: what a registry sends for a layer."""

from __future__ import annotations

import queue
import threading

from zlib_ng import zlib_ng

_LEVEL, _FORMAT = 6, 31


class GzipSize:
    """The length of a stream's gzip, found in a thread of its own.

    Level 6 of zlib-ng: the level that Docker pushes with, three times as fast as zlib, 2 to 3 % larger.
    """

    def __init__(self) -> None:
        self._todo: queue.Queue[bytes | None] = queue.Queue(maxsize=16)
        self._size = 0
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def add(self, piece: bytes) -> None:
        """Take the next piece; waits while many are not done yet."""
        self._todo.put(piece)

    def finish(self) -> int:
        """End the stream and give the length in bytes."""
        self._todo.put(None)
        self._thread.join()
        return self._size

    def _work(self) -> None:
        packer = zlib_ng.compressobj(_LEVEL, zlib_ng.DEFLATED, _FORMAT)
        while (piece := self._todo.get()) is not None:
            self._size += len(packer.compress(piece))
        self._size += len(packer.flush())
