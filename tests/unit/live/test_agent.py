"""The agent of the helper container, run as a program of this host."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import stageproof.live.helper

FOLDER = Path(stageproof.live.helper.__file__).parent
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nok"

Ask = Callable[..., dict[str, Any]]
Serve = Callable[[bytes], int]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Talk with an agent."""
    command = [sys.executable, "-E", "-s", "-S", "-m", "agent"]
    with subprocess.Popen(command, cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        source, sink = process.stdout, process.stdin

        def ask_(op: str, **fields: object) -> dict[str, Any]:
            print(json.dumps({"op": op, **fields}), file=sink, flush=True)
            answer: dict[str, Any] = json.loads(source.readline())
            return answer

        yield ask_
        sink.close()
        assert process.wait(10) == 0, "it ends with its input"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve one connection with fixed bytes; they may be cut short."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve_(data: bytes) -> int:
        def once() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(data)

        threading.Thread(target=once, daemon=True).start()
        port: int = listening.getsockname()[1]
        return port

    yield serve_
    listening.close()


def http(ask: Ask, port: int, **fields: object) -> dict[str, Any]:
    """Ask the server once."""
    send = base64.b64encode(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").decode()
    return ask("http", **{"port": port, "send": send, "timeout": 2, **fields})


def test_an_answer_comes_with_all_its_headers(ask: Ask, serve: Serve) -> None:
    answer = http(ask, serve(OK))
    assert (answer["status"], base64.b64decode(answer["body"])) == (200, b"ok")
    assert [value for name, value in answer["headers"] if name == "Set-Cookie"] == ["a=1", "b=2"]
    assert answer["seconds"] >= 0


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"", "closed"), (OK[:-1], "cut-off"), (b"SSH-2.0-OpenSSH\r\n", "not-http")],
    ids=["nothing", "half an answer", "another protocol"],
)
def test_what_is_no_whole_answer_is_none(ask: Ask, serve: Serve, data: bytes, error: str) -> None:
    answer = http(ask, serve(data))
    assert answer["error"] == error
    assert answer["detail"]
    assert "status" not in answer


def test_everything_is_given_raw_if_asked(ask: Ask, serve: Serve) -> None:
    answer = http(ask, serve(OK), method="HEAD", raw=True)
    assert base64.b64decode(answer["body"]) == OK


def test_a_port_where_nobody_listens_refuses(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert http(ask, port)["error"] == "refused"


def test_a_server_that_does_not_accept_has_not_taken_the_request_up(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one = {"port": listening.getsockname()[1], "send": base64.b64encode(b"GET /").decode(), "timeout": 5}
        held = ask("hold", requests=[one], wait=0.2)
        assert held["taken"] == [False]
        connection, _ = listening.accept()
        with connection:
            connection.recv(100)
            connection.sendall(OK)
    answers = ask("collect", id=held["id"], wait=5)["answers"]
    assert [answer["status"] for answer in answers] == [200]


def test_an_answer_that_does_not_come_is_a_timeout(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one = {"port": listening.getsockname()[1], "send": "", "timeout": 30}
        held = ask("hold", requests=[one], wait=0)
        assert ask("collect", id=held["id"], wait=0.1)["answers"][0]["error"] == "timeout"


def test_a_process_is_read_from_the_kernel(ask: Ask) -> None:
    seen = ask("process", pid=os.getpid())
    assert seen["status"]["Pid"] == str(os.getpid())
    assert seen["cmdline"][0].endswith(Path(sys.executable).name)


@pytest.mark.parametrize("question", [{"op": "nonsense"}, {"op": "http"}, {"op": "process", "pid": "x"}], ids=str)
def test_a_bad_question_gets_a_fault_and_the_next_one_an_answer(ask: Ask, question: dict[str, object]) -> None:
    assert ask(**question)["fault"]
    assert ask("clock")["now"] > 0


def test_answers_come_as_soon_as_they_can_with_the_numbers_of_their_questions(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        slow = {"port": listening.getsockname()[1], "send": "", "timeout": 5}
        # The answer to what was asked second comes first: nobody accepts the first one's connection.
        first = threading.Thread(target=accept_and_close, args=(listening,))
        quick = ask("clock", number=7)
        held = ask("hold", requests=[slow], wait=0)
        first.start()
        answers = ask("collect", id=held["id"], wait=5, number="eight")
        first.join()
    assert quick["number"] == 7
    assert (answers["number"], answers["answers"][0]["error"]) == ("eight", "closed")


def accept_and_close(listening: socket.socket) -> None:
    listening.accept()[0].close()


def test_padding_stops_as_soon_as_there_is_an_answer(ask: Ask, serve: Serve) -> None:
    answer = http(ask, serve(OK), padding=1 << 40)
    assert answer["status"] == 200 or answer["error"] == "closed"
    assert answer["seconds"] < 2


def test_a_connection_that_is_abandoned_is_reset_after_the_first_byte(ask: Ask, serve: Serve) -> None:
    send = base64.b64encode(b"GET / HTTP/1.1\r\n\r\n").decode()
    assert ask("abandon", port=serve(OK), send=send, count=1) == {"begun": 1}


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/../etc/passwd"])
def test_nothing_is_read_outside_of_proc(ask: Ask, path: str) -> None:
    assert "is not below /proc" in ask("read", path=path)["fault"]


def test_a_file_is_read_or_is_absent(ask: Ask) -> None:
    assert ask("read", path=f"/proc/{os.getpid()}/comm")["text"] == Path("/proc/self/comm").read_text()
    assert ask("read", path="/proc/none")["text"] is None


def test_orphans_end_and_are_told(ask: Ask) -> None:
    seen = ask("orphans", count=2)
    assert len(set(seen["pids"])) == 2


def test_only_a_process_of_the_container_that_is_meant_is_crashed(ask: Ask) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        assert "is not one of the container" in ask("crash", pid=process.pid, container="0" * 64)["fault"]
        assert process.poll() is None
        process.kill()
