"""The parts of live/ that need no engine."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from docker.errors import APIError

from stageproof.errors import ContainerError, DiskFullError, EngineError, Error
from stageproof.live import Answer, ListeningSocket, Options, Process, Request, Run, sigterm_as_interrupt
from stageproof.live.container import start_error
from stageproof.live.helper.stream import Stream, StreamEndedError
from stageproof.live.restrictions import hardened, restricted, restrictions
from stageproof.live.run import Owner, start_time
from stageproof.live.wait import until
from stageproof.model import Limits

ANY = "0.0.0.0"  # noqa: S104 -- compared with, not listened on
LIMITS = Limits(memory=64_000_000, pids=32, start_seconds=5)


def test_a_condition_that_holds_is_not_waited_for() -> None:
    assert until(lambda: "yes", 60) == "yes"


def test_a_condition_is_asked_until_it_holds() -> None:
    answers = iter([None, False, None, 7])
    assert until(lambda: next(answers), 60) == 7


def test_a_condition_is_asked_once_more_after_the_deadline() -> None:
    answers = iter([None, 7])
    assert until(lambda: next(answers), 0.001) == 7
    assert until(lambda: 7, 0) == 7
    assert until(lambda: None, 0) is None


def test_this_process_is_alive_and_knows_itself_by_its_label() -> None:
    owner = Owner.this_process()
    assert Owner.parse(str(owner)) == owner
    assert owner.is_dead() is False


def test_a_process_that_has_ended_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        me = Owner.this_process()
        owner = Owner(me.machine, me.boot, process.pid, start_time(process.pid) or "")
        assert owner.is_dead() is False
        process.communicate(b"\n")
    assert owner.is_dead() is True


def test_a_later_process_with_the_same_number_is_not_taken_for_it() -> None:
    me = Owner.this_process()
    assert Owner(me.machine, me.boot, me.pid, "1").is_dead() is True


def test_after_another_boot_every_process_is_dead() -> None:
    me = Owner.this_process()
    assert Owner(me.machine, "another-boot", me.pid, me.started).is_dead() is True


def test_a_process_of_another_machine_cannot_be_judged() -> None:
    me = Owner.this_process()
    assert Owner("elsewhere/-", me.boot, me.pid, me.started).is_dead() is None


@pytest.mark.parametrize("label", ["", "a b c", "a b c d", "a b 1 2 3"])
def test_a_label_that_names_no_owner_is_refused(label: str) -> None:
    assert Owner.parse(label) is None


def test_names_are_never_given_twice_and_carry_the_run() -> None:
    run = Run.new("abc")
    names = {run.new_name() for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith("stageproof-abc-") for name in names)


def test_a_request_is_written_as_it_stands() -> None:
    request = Request(b"/\xff?a=%zz", method="BREW", headers=[("X-A", "1"), ("X-A", "2")], body=b"xy")
    assert request.raw == (
        b"BREW /\xff?a=%zz HTTP/1.1\r\nHost: localhost:8080\r\nX-A: 1\r\nX-A: 2\r\n"
        b"Connection: close\r\nContent-Length: 2\r\n\r\nxy"
    )


def test_a_length_that_is_given_is_not_corrected() -> None:
    raw = Request(headers={"Content-Length": "999", "Host": "h"}, body=b"x", keep_alive=True).raw
    assert raw == b"GET / HTTP/1.1\r\nContent-Length: 999\r\nHost: h\r\n\r\nx"


def test_an_answer_gives_its_headers_without_regard_to_case() -> None:
    answer = Answer.of(
        {
            "status": 200,
            "headers": [["content-TYPE", "Text/HTML; x=y"], ["A", "1"], ["a", "2"]],
            "seconds": 1,
            "ended": 2,
        }
    )
    assert (answer.media_type, answer.all("A"), answer.header("a"), answer.header("b")) == (
        "text/html",
        ["1", "2"],
        "1, 2",
        None,
    )


@pytest.mark.parametrize(
    ("address", "everywhere", "loopback"),
    [
        (ANY, True, False),
        ("::", True, False),
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("::ffff:127.0.0.1", False, True),
        ("172.17.0.2", False, False),
    ],
)
def test_an_address_is_everywhere_or_on_the_loopback(address: str, everywhere: bool, loopback: bool) -> None:
    found = ListeningSocket("tcp", address, 80, (1,))
    assert (found.everywhere, found.loopback_only) == (everywhere, loopback)


def test_a_process_is_read_from_its_status() -> None:
    status = {"Name": "app", "Uid": "1\t2\t3\t4", "Gid": "5\t6\t7\t8", "CapEff": "00000000a80425fb", "NoNewPrivs": "0"}
    process = Process(1, ("app",), status)
    assert (process.uid, process.gid, process.capabilities) == (2, 6, 0xA80425FB)
    assert not process.no_new_privileges
    assert not process.seccomp


def test_a_process_tells_what_it_could_still_become() -> None:
    status = {
        "Name": "app",
        "State": "Z (zombie)",
        "Uid": "1\t2\t1\t1",
        "Gid": "5\t5\t5\t5",
        "PPid": "3",
        "Threads": "4",
    }
    process = Process(7, (), status | {"CapEff": "0000000000000000", "CapBnd": "00000000a80425fb"})
    assert (process.users, process.groups) == (frozenset({1, 2}), frozenset({5}))
    assert (process.parent, process.threads) == (3, 4)
    assert process.is_zombie
    assert process.ever_capable
    assert not Process(7, (), status | {"CapEff": "0000000000000000", "CapBnd": "0000000000000000"}).ever_capable


@pytest.mark.parametrize(("network", "then"), [("bridge", "none"), ("none", "none"), ("container:a", "container:a")])
def test_what_is_hardened_has_no_network_but_that_of_another_container(network: str, then: str) -> None:
    assert hardened(Options(network=network), LIMITS).network == then


def test_a_container_may_be_started_again_so_often() -> None:
    assert Options(restarts=3).arguments()["restart_policy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert "restart_policy" not in Options().arguments()


def test_all_restrictions_together_are_each_one_of_them() -> None:
    together = restricted(LIMITS)
    for fields in restrictions(LIMITS).values():
        for name, value in fields.items():
            assert getattr(together, name) == value
    assert (
        together.arguments()
        == Options(**{k: v for one in restrictions(LIMITS).values() for k, v in one.items()}).arguments()
    )
    assert together.arguments()["memswap_limit"] == 64_000_000


def test_without_options_an_image_is_started_as_it_is() -> None:
    given = Options().arguments()
    assert "user" not in given
    assert "command" not in given
    assert given["healthcheck"] == {"test": ["NONE"]}
    assert Options(health_seconds=0.5).arguments()["healthcheck"] == {
        "interval": 500_000_000,
        "timeout": 10_000_000_000,
        "start_period": 1_000_000,
        "retries": 1,
    }


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, Stream]]:
    """Give the engine's end of a connection, and the stream at the other end."""
    engine, ours = socket.socketpair()
    yield engine, Stream(ours)
    engine.close()
    ours.close()


def frame(number: int, data: bytes) -> bytes:
    """Wrap data as the engine does."""
    return struct.pack(">BxxxL", number, len(data)) + data


def test_a_line_is_put_together_from_frames_in_any_pieces(wire: tuple[socket.socket, Stream]) -> None:
    engine, stream = wire
    sent = frame(1, b'{"a"') + frame(2, b"a warning\n") + frame(1, b": 1}\nne") + frame(1, b"xt\n")

    def drip() -> None:
        for number in range(len(sent)):
            engine.sendall(sent[number : number + 1])

    thread = threading.Thread(target=drip)
    thread.start()
    assert stream.read_line() == b'{"a": 1}'
    assert stream.read_line() == b"next"
    assert stream.errors == b"a warning\n"
    thread.join()


def test_whoever_reads_a_connection_that_is_hung_up_is_told(wire: tuple[socket.socket, Stream]) -> None:
    _, stream = wire
    told: list[StreamEndedError] = []

    def read() -> None:
        with pytest.raises(StreamEndedError) as error:
            stream.read_line()
        told.append(error.value)

    reader = threading.Thread(target=read)
    reader.start()
    stream.hang_up()
    reader.join(5)
    assert len(told) == 1


def test_a_connection_that_ends_in_the_middle_of_a_line_is_an_error(wire: tuple[socket.socket, Stream]) -> None:
    engine, stream = wire
    engine.sendall(frame(1, b"half"))
    engine.close()
    with pytest.raises(StreamEndedError, match="ended"):
        stream.read_line()
    with pytest.raises(StreamEndedError):
        stream.write_line(b"x" * 1_000_000)


def test_a_stop_of_this_process_unwinds_like_an_interrupt() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), sigterm_as_interrupt():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("seen", "kind", "code"),
    [
        ("write /var/lib/docker/tmp: no space left on device", DiskFullError, 17),
        ('exec: "/app": stat /app: no such file or directory', ContainerError, 31),
        ("error creating overlay mount", EngineError, 10),
    ],
)
def test_why_a_container_did_not_start_is_told_by_its_kind(seen: str, kind: type[Error], code: int) -> None:
    error = start_error("app:1", APIError("500", explanation=seen))
    assert (type(error), error.exit_code, error.seen) == (kind, code, seen)
