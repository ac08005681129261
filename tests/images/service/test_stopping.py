"""The end: what is promised between the signal and the exit, seen in one stop with everything open at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from stageproof.live import Answer, Kept, Live, Options, Request, State
from stageproof.live.session import Running
from stageproof.live.wait import until

from .conftest import ready

DRAIN, DELAY = 2, 3
IDLE = {"after an answer": Request("/version", keep_alive=True), "before any request": Request(bytes_=b"")}


@dataclass(frozen=True)
class End:
    """What was seen from SIGTERM to the exit, with a request in flight and connections that do nothing."""

    draining: Answer | None
    """The first answer of /readyz that was not 200."""
    meanwhile: dict[str, Answer]
    """What other paths said then."""
    refused: Answer | None
    """The first refused connection after that."""
    in_flight: Answer
    idle: dict[str, Kept]
    state: State | None


@pytest.fixture(scope="session")
def end(live: Live) -> End:
    """Stop one container with everything open that a stop has to deal with."""
    env = {"DRAIN_SECONDS": str(DRAIN), "SHUTDOWN_SECONDS": "10", "CHAOS_DELAY": str(DELAY)}
    with live.running(Options(env=env), look=False) as running:
        ready(running)
        helper = running.helper
        idle = {name: helper.keep(request) for name, request in IDLE.items()}
        held, taken = helper.hold([Request("/qr?text=last", seconds=15)], 2)
        assert taken == [True]
        running.container.signal("SIGTERM")
        draining = until(lambda: not_ready(running), 2)
        meanwhile = {path: running.ask(path) for path in ("/version", "/healthz")}
        refused = until(lambda: is_refused(running.ask("/version")), 4)
        in_flight = helper.collect(held, 10)[0]
        state = running.container.wait_ended(3)
        return End(
            draining,
            meanwhile,
            refused,
            in_flight,
            {name: helper.kept(number, 1) for name, number in idle.items()},
            state,
        )


def not_ready(running: Running) -> Answer | None:
    """Give what readiness says, if it does not say that all is well."""
    answer = running.ask("/readyz")
    return None if answer.status == 200 else answer


def is_refused(answer: Answer) -> Answer | None:
    """Give the answer if nobody listened."""
    return answer if answer.error == "refused" else None


def test_readiness_says_that_it_drains(end: End) -> None:
    assert end.draining
    assert (end.draining.status, end.draining.json()) == (503, {"status": "draining"})


def test_everything_else_is_answered_while_it_drains(end: End) -> None:
    assert {path: answer.status for path, answer in end.meanwhile.items()} == {"/version": 200, "/healthz": 200}


def test_new_connections_are_refused_after_that(end: End) -> None:
    assert end.refused


def test_a_request_in_flight_is_finished(end: End) -> None:
    assert end.in_flight.status == 200, end.in_flight
    assert end.in_flight.seconds >= DELAY
    assert end.refused
    assert end.in_flight.ended > end.refused.ended, "it was over before new connections were refused"


@pytest.mark.parametrize("name", IDLE)
def test_an_idle_connection_is_closed(end: End, name: str) -> None:
    assert end.idle[name].closed_at


def test_it_ends_with_0(end: End) -> None:
    assert end.state
    assert end.state.exit_code == 0


@pytest.fixture
def stubborn(live: Live) -> Iterator[Running]:
    """Give a container with a request that would take an hour."""
    env = {"DRAIN_SECONDS": "0", "SHUTDOWN_SECONDS": "1", "CHAOS_DELAY": "3600"}
    with live.running(Options(env=env), look=False) as running:
        ready(running).helper.hold([Request("/qr?text=never", seconds=30)], 1)
        yield running


def test_an_interrupt_ends_it_too_and_a_request_that_takes_too_long_does_not_hold_the_end(stubborn: Running) -> None:
    stubborn.container.signal("SIGINT")
    state = stubborn.container.wait_ended(6)
    assert state
    assert state.exit_code == 0
