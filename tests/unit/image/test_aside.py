"""Work in a thread of its own is done in order, and its accidents are not lost."""

from __future__ import annotations

import pytest

from stageproof.image.aside import Aside


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
