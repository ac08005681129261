"""The end: what is promised between the signal and the exit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stageproof.live import Answer, Live, Options, Request
from stageproof.live.session import Running
from stageproof.live.wait import until

Start = Callable[..., Running]


def exit_code(running: Running, seconds: float) -> int | None:
    """Wait for the end; None if it does not come."""
    state = running.container.wait_ended(seconds)
    return state.exit_code if state else None


def test_it_drains_then_refuses_new_connections_then_finishes_what_it_took_up(start: Start) -> None:
    running = start(DRAIN_SECONDS="2", SHUTDOWN_SECONDS="10", CHAOS_DELAY="3")
    held, taken = running.helper.hold([Request("/qr?text=last", seconds=15)], 2)
    assert taken == [True]
    running.container.signal("SIGTERM")
    draining = until(lambda: not_ready(running), 2)
    assert draining
    assert (draining.status, draining.json()) == (503, {"status": "draining"})
    assert running.ask("/version").status == 200
    assert running.ask("/healthz").status == 200
    refused = until(lambda: running.ask("/version").error == "refused" or None, 4)
    assert refused
    answer = running.helper.collect(held, 10)[0]
    assert answer.status == 200, answer
    assert answer.seconds >= 3
    assert exit_code(running, 3) == 0


def not_ready(running: Running) -> Answer | None:
    """Give what readiness says, if it does not say that all is well."""
    answer = running.ask("/readyz")
    return None if answer.status == 200 else answer


def test_a_request_that_takes_too_long_does_not_hold_the_end(start: Start) -> None:
    running = start(DRAIN_SECONDS="0", SHUTDOWN_SECONDS="1", CHAOS_DELAY="3600")
    running.helper.hold([Request("/qr?text=never", seconds=30)], 1)
    running.container.signal("SIGTERM")
    assert exit_code(running, 6) == 0


@pytest.mark.parametrize(
    "idle", [Request("/version", keep_alive=True), Request(bytes_=b"")], ids=["after an answer", "before any request"]
)
def test_an_idle_connection_is_closed_and_does_not_hold_the_end(start: Start, idle: Request) -> None:
    running = start(DRAIN_SECONDS="0")
    number = running.helper.keep(idle)
    running.container.signal("SIGTERM")
    assert exit_code(running, 4) == 0
    assert running.helper.kept(number, 1).closed_at


def test_an_interrupt_ends_it_like_a_stop(start: Start) -> None:
    running = start(DRAIN_SECONDS="0")
    running.container.signal("SIGINT")
    assert exit_code(running, 4) == 0


@pytest.mark.parametrize("moment", ["its first words", "its first socket"])
def test_a_stop_during_the_start_is_obeyed(live: Live, moment: str) -> None:
    with live.running(Options(env={"DRAIN_SECONDS": "0"})) as running:
        conditions: dict[str, Callable[[], object]] = {
            "its first words": lambda: running.container.output() or running.helper.sockets() or None,
            "its first socket": lambda: running.helper.sockets() or None,
        }
        running.container.wait_for(conditions[moment], live.limits.start_seconds, f"{moment} had come")
        running.container.signal("SIGTERM")
        assert exit_code(running, 5) == 0


def test_a_second_stop_does_not_hold_the_end(start: Start) -> None:
    running = start(DRAIN_SECONDS="1")
    running.container.signal("SIGTERM")
    assert until(lambda: not_ready(running), 2)
    running.container.signal("SIGTERM")
    assert exit_code(running, 6) is not None
