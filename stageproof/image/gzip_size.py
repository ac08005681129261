"""How long a stream's gzip is: what a registry sends for a layer."""

from __future__ import annotations

from zlib_ng import zlib_ng

from stageproof.image.aside import Aside

_LEVEL, _FORMAT = 6, 31


class GzipSize:
    """The length of a stream's gzip, found in a thread of its own.

    Level 6 of zlib-ng: the level that Docker pushes with, three times as fast as zlib, 2 to 3 % larger.
    """

    def __init__(self) -> None:
        self._size = 0
        self._packer = zlib_ng.compressobj(_LEVEL, zlib_ng.DEFLATED, _FORMAT)
        self._aside = Aside(self._pack)

    def add(self, piece: bytes) -> None:
        """Take the next piece; waits while many are not done yet."""
        self._aside.add(piece)

    def finish(self) -> int:
        """End the stream and give the length in bytes."""
        self._aside.finish()
        return self._size + len(self._packer.flush())

    def _pack(self, piece: bytes) -> None:
        self._size += len(self._packer.compress(piece))
