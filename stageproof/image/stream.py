"""A stream of bytes, read forward only, in pieces of whatever size they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from stageproof.errors import ImageError

NO_END = float("inf")


class Stream:
    """Bytes that arrive in pieces. Nothing is kept but the piece at hand.

    `leap` moves the source itself forward where it can (a file), so that what is skipped is not read. `until` is the
    moment (of `time.monotonic`) after which reading ends with an ImageError.
    """

    def __init__(
        self, pieces: Iterable[bytes], what: str, *, leap: Callable[[int], None] | None = None, until: float = NO_END
    ) -> None:
        self.what = what
        self.until = until
        self._pieces = iter(pieces)
        self._leap = leap
        self._piece = b""
        self._at = 0
        self._before = 0

    @property
    def position(self) -> int:
        """How many bytes have been taken or skipped."""
        return self._before + self._at

    def take(self, count: int) -> bytes:
        """Give exactly so many bytes; raise ImageError if the stream ends before."""
        end = self._at + count
        if end <= len(self._piece):
            data = self._piece[self._at : end]
            self._at = end
            return data
        return b"".join(self.pieces(count))

    def take_padded(self, count: int, padding: int) -> bytes:
        """Give exactly so many bytes, and skip those after them."""
        end = self._at + count
        if end + padding <= len(self._piece):
            data = self._piece[self._at : end]
            self._at = end + padding
            return data
        data = self.take(count)
        self.skip(padding)
        return data

    def take_or_end(self, count: int) -> bytes:
        """Give exactly so many bytes, or none at the end of the stream."""
        end = self._at + count
        if end <= len(self._piece):
            data = self._piece[self._at : end]
            self._at = end
            return data
        return self.take(count) if self.peek(1) else b""

    def peek(self, count: int) -> bytes:
        """Give the next bytes, fewer at the end of the stream, and leave them in it."""
        while len(self._piece) - self._at < count:
            more = self._more()
            if more is None:
                break
            self._before += self._at
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

    def skip(self, count: int) -> None:
        """Go forward by so many bytes; raise ImageError if the stream ends before."""
        end = self._at + count
        if end <= len(self._piece):
            self._at = end
            return
        here = len(self._piece) - self._at
        self._at += here
        left = count - here
        if left and self._leap:
            self._leap(left)
            self._before += left
        elif left:
            for _ in self.pieces(left):
                pass

    def rest(self) -> Iterator[bytes]:
        """Give everything that is left."""
        if self._at < len(self._piece):
            piece, at = self._piece, self._at
            self._at = len(piece)
            yield piece[at:]
        while (more := self._more()) is not None:
            self._before += self._at
            self._piece, self._at = more, len(more)
            yield more

    def _more(self) -> bytes | None:
        if time.monotonic() > self.until:
            failed = f"{self.what} cannot be read"
            raise ImageError(
                failed, seen="it takes longer than the limit", why="a check that never ends proves nothing"
            )
        return next(self._pieces, None)

    def _fill(self, missing: int) -> None:
        piece = b""
        while not piece:
            more = self._more()
            if more is None:
                failed = f"{self.what} is cut off"
                raise ImageError(
                    failed, seen=f"it ends {missing} bytes too early", why="what is missing cannot be checked"
                )
            piece = more
        self._before += self._at
        self._piece, self._at = piece, 0
