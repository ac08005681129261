"""Slow clients: they are shown out, and keep nobody waiting."""

from __future__ import annotations

from typing import Any

PATIENCE = 10.0
"""Seconds that the contract gives a client for its headers."""
GRACE = 6.0


def test_others_are_answered_meanwhile(slow: Any) -> None:
    answers = [slow.running.ask("/qr?text=meanwhile", seconds=5) for _ in range(20)]
    assert {answer.status for answer in answers} == {200}
    assert max(answer.seconds for answer in answers) < 2


def test_those_that_stop_in_the_middle_are_closed(slow: Any) -> None:
    ends = [slow.running.helper.kept(number, PATIENCE + GRACE).closed_at for number in slow.silent]
    assert None not in ends
    assert max(end - slow.opened for end in ends if end) < PATIENCE + GRACE


def test_those_that_drip_are_closed(slow: Any) -> None:
    answer = slow.running.helper.collect(slow.dripping, PATIENCE + GRACE)[0]
    assert answer.status in {0, 400, 408}
    assert answer.error != "timeout", "the connection is still open"
    assert answer.ended - slow.opened < PATIENCE + GRACE
