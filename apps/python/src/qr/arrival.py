"""A request on its way in: knows from the bytes alone when all of it is there."""

from __future__ import annotations

import re

from qr.problems import BODY_LIMIT

HEAD_LIMIT = 32 * 1024
# Chunks have a frame: a body in absurdly small ones may be this long on the wire.
CHUNKED_LIMIT = 2 * BODY_LIMIT
END_OF_HEAD = b"\r\n\r\n"
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)


class TooLarge(Exception):  # noqa: N818 - it is no error, but the end of a connection
    """The request can be neither read nor refused in form: its head or its chunks never end."""


class Arrival:
    """Collects one request; what it understands only decides when to wait, gunicorn's parser judges."""

    def __init__(self) -> None:
        """Begin with no bytes."""
        self.data = bytearray()
        self.awaits_continue = False
        self._body_at = 0
        self._length: int | None = None
        self._chunk_at = 0
        self._size = 0

    def feed(self, data: bytes) -> bool:
        """Take more bytes; whether the request can be answered now without waiting for any more."""
        seen = len(self.data)
        self.data += data
        if not self._body_at and not self._read_head(max(0, seen - len(END_OF_HEAD))):
            return False
        if self._length is None:
            return self._chunks_end()
        # A body that is too large is refused for its announced length, unread.
        return self._length > BODY_LIMIT or len(self.data) - self._body_at >= self._length

    def _read_head(self, start: int) -> bool:
        # A request may begin with one empty line.
        end = self.data.find(END_OF_HEAD, max(start, 2))
        if end < 0 and len(self.data) > HEAD_LIMIT:
            raise TooLarge
        if end < 0:
            return False
        head = bytes(self.data[: end + 2])
        if length := CONTENT_LENGTH.search(head):
            self._length = int(length[1])
        elif not CHUNKED.search(head):
            self._length = 0
        if EXPECT.search(head):
            # Answered by whoever waits for the body, not later by gunicorn.
            self.awaits_continue = self._length is None or 0 < self._length <= BODY_LIMIT
            head = EXPECT.sub(b"", head)
            self.data[: end + 2] = head
        self._body_at = self._chunk_at = len(head) + 2
        return True

    def _chunks_end(self) -> bool:
        """Walk over the chunks that are there."""
        while True:
            line_end = self.data.find(b"\r\n", self._chunk_at)
            if line_end < 0:
                break
            try:
                size = int(self.data[self._chunk_at : line_end].partition(b";")[0], 16)
            except ValueError:
                return True  # gunicorn refuses it
            if size <= 0:
                # No trailers: the line is followed by an empty one; the same two line ends close the trailers.
                if self.data.find(END_OF_HEAD, line_end) >= 0:
                    return True
                break
            chunk_end = line_end + 2 + size + 2
            if self._size + min(size, len(self.data) - line_end - 2) > BODY_LIMIT:
                return True  # the application reads to the limit, where it refuses
            if len(self.data) < chunk_end:
                break
            self._size += size
            self._chunk_at = chunk_end
        if len(self.data) - self._body_at > CHUNKED_LIMIT:
            raise TooLarge
        return False
