"""gunicorn's arbiter, the process with id 1 in a container, made to drain before it stops."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from gunicorn.arbiter import Arbiter

if TYPE_CHECKING:
    from qr.lifecycle import Lifecycle

END_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class DrainingArbiter(Arbiter):
    """On the first SIGTERM or SIGINT: readiness off, serve on for a while, then stop gracefully.

    A second one changes nothing. SIGQUIT stops at once.
    """

    # The other signals of gunicorn reload it or change its number of workers: no use in a container.
    SIGNALS = (*END_SIGNALS, signal.SIGQUIT)

    stop_at: float | None = None

    def signal(self, sig: int, frame: object) -> None:
        """Note a signal; the readiness goes off here, since the main loop may be busy."""
        if sig in END_SIGNALS:
            if self.stop_at is not None:
                return
            self.stop_at = time.monotonic() + self.app.config.drain_seconds
            self._lifecycle.drain()
        super().signal(sig, frame)

    def handle_term(self) -> None:
        """Go on: wait_for_signals knows when it is time to stop."""
        self.log.info("Draining for %d s", self.app.config.drain_seconds)

    handle_int = handle_term

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Wait, but not longer than draining lasts."""
        if self.stop_at is not None:
            timeout = min(timeout, self.stop_at - time.monotonic())
        if timeout <= 0:
            self._lifecycle.stop()
            raise StopIteration  # what gunicorn's main loop takes for a graceful stop
        waited: list[int] = super().wait_for_signals(timeout)
        return waited

    @property
    def _lifecycle(self) -> Lifecycle:
        lifecycle: Lifecycle = self.app.lifecycle
        return lifecycle
