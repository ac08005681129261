"""A stream of bytes, read forward only, in pieces of whatever size they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stageproof.errors import ImageError


class Stream:
    """Bytes that arrive in pieces. Nothing is kept but the piece at hand."""

    def __init__(self, pieces: Iterable[bytes], what: str) -> None:
        self.what = what
        self._pieces = iter(pieces)
        self._piece = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        """Give exactly so many bytes; raise ImageError if the stream ends before."""
        end = self._at + count
        if end <= len(self._piece):
            data = self._piece[self._at : end]
            self._at = end
            return data
        return b"".join(self.pieces(count))

    def peek(self, count: int) -> bytes:
        """Give the next bytes, fewer at the end of the stream, and leave them in it."""
        while len(self._piece) - self._at < count:
            more = next(self._pieces, None)
            if more is None:
                break
            self._piece = self._piece[self._at :] + more
            self._at = 0
        return self._piece[self._at : self._at + count]

    def pieces(self, count: int) -> Iterator[bytes]:
        """Give exactly so many bytes, piece by piece; raise ImageError if the stream ends before."""
        while count > 0:
            if self._at == len(self._piece):
                self._fill(count)
            piece = self._piece[self._at : self._at + count] if self._at or len(self._piece) > count else self._piece
            self._at += len(piece)
            count -= len(piece)
            yield piece

    def rest(self) -> Iterator[bytes]:
        """Give everything that is left."""
        if self._at < len(self._piece):
            yield self._piece[self._at :]
        self._piece, self._at = b"", 0
        yield from self._pieces

    def _fill(self, missing: int) -> None:
        piece = b""
        while not piece:
            more = next(self._pieces, None)
            if more is None:
                failed = f"{self.what} is cut off"
                raise ImageError(
                    failed, seen=f"it ends {missing} bytes too early", why="what is missing cannot be checked"
                )
            piece = more
        self._piece, self._at = piece, 0
