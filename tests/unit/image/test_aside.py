"""Work in a thread of its own is done in order, and its accidents are not lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from stageproof.image.aside import Aside, ahead


def test_every_piece_is_worked_on_in_order() -> None:
    done: list[bytes] = []
    aside = Aside(done.append)
    for number in range(100):
        aside.add(b"%d" % number)
    aside.finish()
    assert done == [b"%d" % number for number in range(100)]


def test_an_accident_is_raised_at_the_end_and_nobody_waits_for_ever() -> None:
    def broken(piece: bytes) -> None:
        raise ValueError(piece.decode())

    aside = Aside(broken)
    for number in range(100):
        aside.add(b"piece %d" % number)
    with pytest.raises(ValueError, match="piece 0"):
        aside.finish()


def test_what_is_read_ahead_are_the_same_bytes_in_larger_pieces() -> None:
    pieces = [bytes([number % 256]) * 40_000 for number in range(200)]
    found = list(ahead(iter(pieces)))
    assert b"".join(found) == b"".join(pieces)
    assert len(found) < 10


def test_what_goes_wrong_while_reading_ahead_is_raised_where_the_bytes_are_read() -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * (2 << 20)
        message = "the engine ended"
        raise ConnectionError(message)

    reading = ahead(broken())
    assert len(next(reading)) == 2 << 20
    with pytest.raises(ConnectionError, match="the engine ended"):
        next(reading)


def test_who_stops_reading_ends_the_thread_that_reads_ahead() -> None:
    closed: list[bool] = []

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * (1 << 20)
        finally:
            closed.append(True)

    before = threading.active_count()
    reading = ahead(endless())
    next(reading)
    reading.close()
    assert threading.active_count() == before
    assert closed == [True]
