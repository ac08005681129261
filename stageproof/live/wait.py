"""Waiting: a condition and a deadline, never a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

FIRST_PAUSE = 0.01
LONGEST_PAUSE = 0.1


def until(condition: Callable[[], T | None], seconds: float) -> T | None:
    """Ask until there is an answer other than None and False; give None when the deadline has passed.

    The condition is asked once more after the deadline, so that a slow machine is not taken for a slow container.
    """
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while True:
        late = time.monotonic() >= deadline
        answer = condition()
        if answer is not None and answer is not False:
            return answer
        if late:
            return None
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(pause * 1.5, LONGEST_PAUSE)
