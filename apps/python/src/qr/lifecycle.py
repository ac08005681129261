"""Where the service stands between its start and its end, known to both of gunicorn's processes."""

from __future__ import annotations

import mmap

READY, DRAINING, STOPPING = range(3)


class Lifecycle:
    """Three flags in memory that a forked worker shares with its parent; none is ever taken back."""

    def __init__(self) -> None:
        """Begin with nothing reached."""
        self._flags = mmap.mmap(-1, 3)

    def ready(self) -> None:
        """Say that requests are served from now on."""
        self._flags[READY] = 1

    def drain(self) -> None:
        """Say that the end was asked for: no new traffic should be sent here."""
        self._flags[DRAINING] = 1

    def stop(self) -> None:
        """Say that draining is over."""
        self._flags[STOPPING] = 1

    @property
    def draining(self) -> bool:
        """Whether the end was asked for."""
        return bool(self._flags[DRAINING])

    @property
    def stopping(self) -> bool:
        """Whether draining is over."""
        return bool(self._flags[STOPPING])

    @property
    def state(self) -> str:
        """The state in a word: starting, ready or draining."""
        if self.draining:
            return "draining"
        return "ready" if self._flags[READY] else "starting"
