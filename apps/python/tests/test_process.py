"""The service as a process: start, signals, logs, slow clients."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import DEADLINE, Service, free_port, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., Service]

GET = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "qr", *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=DEADLINE)


def read_all(connection: socket.socket) -> bytes:
    """Read until the other side closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while data := connection.recv(65_536):
            received += data
    return received


class InBackground(threading.Thread):
    """One request that is on its way while the test does something else."""

    def __init__(self, service: Service, path: str) -> None:
        super().__init__(daemon=True)
        self.service, self.path = service, path
        self.answer: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.answer = self.service.get(self.path)[0]
        except OSError as error:
            self.answer = error

    def result(self) -> Any:
        self.join(DEADLINE)
        return self.answer


def slow_request(service: Service) -> InBackground:
    """A request to /qr that a thread of the service works on."""
    request = InBackground(service, "/qr?text=a")
    tasks = Path(f"/proc/{worker_of(service)}/task")
    # CHAOS_DELAY is the only thing in the service that sleeps.
    wait_for(lambda: any("nanosleep" in asleep_in(task) for task in tasks.iterdir()), "a thread at work")
    return request


def asleep_in(task: Path) -> str:
    """The kernel's function that a thread waits in."""
    try:
        return (task / "wchan").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def worker_of(service: Service) -> int:
    pid = service.process.pid
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:  # noqa: PTH123 - /proc
        return int(children.read())


# Start


def test_a_bad_port_ends_the_start_with_code_2_and_one_line() -> None:
    result = run(PORT="abc")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == 'PORT: "abc" is not a whole number from 1 to 65535\n'


def test_an_unknown_argument_ends_the_start_with_code_2() -> None:
    result = run("healthchek")
    assert (result.returncode, result.stdout) == (2, "")
    assert "usage" in result.stderr


def test_a_port_in_use_ends_the_start_with_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = run(PORT=str(port))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"PORT: cannot listen on {port}: Address already in use\n"


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_it_listens_on_ipv4_and_where_there_is_ipv6_on_that_too(serve: Serve) -> None:
    service = serve()
    for host in ["127.0.0.1", "::1"] if has_ipv6() else ["127.0.0.1"]:
        with socket.create_connection((host, service.port), timeout=DEADLINE) as connection:
            connection.sendall(GET)
            assert connection.recv(12) == b"HTTP/1.1 200"


# The probe


def test_the_probe_succeeds_only_when_health_answers_200(serve: Serve) -> None:
    assert run("healthcheck", PORT=str(serve().port)).returncode == 0
    assert run("healthcheck", PORT=str(serve(CHAOS_UNHEALTHY_AFTER="0").port)).returncode == 1
    assert run("healthcheck", PORT=str(free_port())).returncode == 1
    assert run("healthcheck", PORT="abc").returncode == 1


def test_the_probe_gives_up_on_a_service_that_drips() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        probe = subprocess.Popen(
            [sys.executable, "-m", "qr", "healthcheck"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PORT": str(listener.getsockname()[1])},
        )
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            while probe.poll() is None and time.monotonic() < started + DEADLINE:
                connection.send(b"H")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    probe.wait(0.2)
        assert probe.wait(DEADLINE) == 1
        assert 2 <= time.monotonic() - started < 8


def test_the_probe_needs_neither_flask_nor_gunicorn() -> None:
    code = (
        "import sys, qr.__main__ as m; m.main(['healthcheck']); "
        "sys.exit('flask' in sys.modules or 'gunicorn' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PORT": str(free_port())}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False, timeout=DEADLINE).returncode == 0


# Bytecode


def test_bytecode_is_written_for_all_that_the_service_imports(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONPYCACHEPREFIX": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    subprocess.run([sys.executable, "-m", "qr.bytecode"], env=environment, check=True, timeout=DEADLINE)
    written = {path.name.partition(".")[0] for path in tmp_path.rglob("*.pyc")}
    assert {"server", "web", "worker", "app", "argparse", "probe"} <= written
    code = "import sys, qr.server; sys.exit(sys.modules['argparse'].__cached__)"
    result = subprocess.run([sys.executable, "-c", code], env=environment, check=False, capture_output=True, text=True)
    assert result.stderr.startswith(str(tmp_path))


# Logs


def test_every_line_is_json_and_requests_have_their_fields(serve: Serve) -> None:
    service = serve(DRAIN_SECONDS="0")
    service.get("/qr?text=secret", method="POST")
    service.get("/healthz")
    service.send(signal.SIGTERM)
    assert service.exit_code() == 0
    lines = service.log()
    assert all({"time", "level", "message"} <= set(line) and line["time"].endswith("Z") for line in lines)
    requests = [line for line in lines if "path" in line]
    assert [(line["method"], line["path"], line["status"]) for line in requests] == [("POST", "/qr", 405)]
    assert requests[0]["duration_ms"] >= 0
    assert "secret" not in service.output.read_text()


def test_lines_below_the_level_are_left_out(serve: Serve) -> None:
    service = serve(LOG_LEVEL="warning", DRAIN_SECONDS="0")
    service.get("/qr?text=a")
    service.send(signal.SIGTERM)
    assert service.exit_code() == 0
    assert service.log() == []


# The end


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_turns_readiness_off_at_once_then_drains_then_stops(serve: Serve, sig: signal.Signals) -> None:
    service = serve(DRAIN_SECONDS="2")
    started = time.monotonic()
    service.send(sig)
    service.wait_for_state("draining")
    assert time.monotonic() - started < 1
    assert service.get("/qr?text=a")[0] == 200
    wait_for(lambda: service.state() == "refused", "the socket to close")
    assert time.monotonic() - started >= 2
    assert service.exit_code() == 0


def test_requests_in_flight_are_finished_while_nobody_new_is_let_in(serve: Serve) -> None:
    service = serve(DRAIN_SECONDS="0", CHAOS_DELAY="2")
    request = slow_request(service)
    service.send(signal.SIGTERM)
    wait_for(lambda: service.state() == "refused", "the socket to close")
    assert service.process.poll() is None
    assert request.result() == 200
    assert service.exit_code() == 0


def test_a_request_that_takes_too_long_is_cut_off_and_the_end_is_still_clean(serve: Serve) -> None:
    service = serve(DRAIN_SECONDS="0", SHUTDOWN_SECONDS="1", CHAOS_DELAY="3600")
    request = slow_request(service)
    started = time.monotonic()
    service.send(signal.SIGTERM)
    assert service.exit_code() == 0
    assert 1 <= time.monotonic() - started < 4
    assert isinstance(request.result(), OSError)
    assert service.logged("1 requests were not finished in time")


def test_idle_connections_do_not_delay_the_end(serve: Serve) -> None:
    service = serve(DRAIN_SECONDS="0", SHUTDOWN_SECONDS="60")
    kept = http.client.HTTPConnection("127.0.0.1", service.port, timeout=DEADLINE)
    kept.request("GET", "/version")
    kept.getresponse().read()
    with contextlib.closing(kept), service.connect():
        started = time.monotonic()
        service.send(signal.SIGTERM)
        assert service.exit_code() == 0
        assert time.monotonic() - started < 2


def test_a_second_signal_changes_nothing(serve: Serve) -> None:
    service = serve(DRAIN_SECONDS="2", CHAOS_DELAY="1")
    started = time.monotonic()
    service.send(signal.SIGTERM)
    service.wait_for_state("draining")
    service.send(signal.SIGTERM)
    service.send(signal.SIGINT)
    assert service.get("/qr?text=a")[0] == 200
    assert service.exit_code() == 0
    assert time.monotonic() - started >= 2


def test_a_signal_to_the_whole_process_group_drains_as_well(serve: Serve) -> None:
    service = serve(DRAIN_SECONDS="1", CHAOS_DELAY="2")
    request = slow_request(service)
    os.killpg(service.process.pid, signal.SIGINT)
    os.killpg(service.process.pid, signal.SIGTERM)
    service.wait_for_state("draining")
    assert request.result() == 200
    assert service.exit_code() == 0


def test_a_signal_at_any_moment_of_the_start_ends_it_with_code_0(start: Serve) -> None:
    def handles_sigterm(service: Service) -> bool:
        with open(f"/proc/{service.process.pid}/status", encoding="ascii") as status:  # noqa: PTH123 - /proc
            caught = next(line for line in status if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)

    for step in range(12):
        service = start(DRAIN_SECONDS="0")
        wait_for(lambda service=service: handles_sigterm(service), "a handler")  # type: ignore[misc]
        moment = time.monotonic() + step * 0.05
        wait_for(lambda moment=moment: time.monotonic() >= moment, "the moment")  # type: ignore[misc]
        started = time.monotonic()
        service.send(signal.SIGTERM)
        assert service.exit_code() == 0, step
        assert time.monotonic() - started < 4, step


def test_sigquit_stops_at_once(serve: Serve) -> None:
    service = serve(CHAOS_DELAY="3600")
    request = slow_request(service)
    started = time.monotonic()
    service.send(signal.SIGQUIT)
    assert service.exit_code() == 0
    assert time.monotonic() - started < 3
    assert isinstance(request.result(), OSError)


def test_a_killed_worker_is_replaced(serve: Serve) -> None:
    service = serve(DRAIN_SECONDS="0")
    os.kill(worker_of(service), signal.SIGKILL)
    service.wait_for_state("ready")
    service.send(signal.SIGTERM)
    assert service.exit_code() == 0


# Clients


def test_slow_clients_do_not_keep_others_waiting_and_are_closed(serve: Serve) -> None:
    service = serve()
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(service.connect()) for _ in range(200)]
        for number, connection in enumerate(slow):
            head = [b"", b"GET", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"][number % 3]
            connection.sendall(head)
        started = time.monotonic()
        assert service.get("/qr?text=a")[0] == 200
        assert time.monotonic() - started < 2
        assert [read_all(connection) for connection in slow] == [b""] * 200
        assert 8 < time.monotonic() - started < 15


def test_clients_that_do_not_close_do_not_keep_others_waiting(serve: Serve) -> None:
    service = serve()
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            connection = stack.enter_context(service.connect())
            connection.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 200"
        started = time.monotonic()
        assert service.get("/qr?text=a")[0] == 200
        assert time.monotonic() - started < 1


def test_clients_that_do_not_read_do_not_keep_others_waiting(serve: Serve) -> None:
    service = serve(LOG_LEVEL="warning")
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", service.port))
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 60)
        assert service.get("/version")[0] == 200
        wait_for(lambda: service.established() <= 1, "them to be closed")


def test_requests_that_follow_each_other_on_a_connection_are_all_answered(serve: Serve) -> None:
    with serve().connect() as connection:
        connection.sendall(GET + GET + GET[:-1])
        connection.sendall(b"\n")
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection).count(b"HTTP/1.1 200 OK") == 3


def test_a_chunked_body_that_is_too_large_is_refused_before_its_end(serve: Serve) -> None:
    with serve().connect() as connection:
        connection.sendall(b"POST /qr HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"FFFFFF\r\n" + b"x" * 65_537)
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"urn:stageproof:problem:content-too-large" in answer


def test_a_small_chunked_body_is_no_fault(serve: Serve) -> None:
    with serve().connect() as connection:
        connection.sendall(b"POST /qr HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 405 ")


def test_a_body_with_broken_chunks_is_refused(serve: Serve) -> None:
    with serve().connect() as connection:
        connection.sendall(b"POST /qr HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 400 ")


def test_a_length_that_is_too_large_is_refused_before_the_body_is_sent(serve: Serve) -> None:
    with serve().connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\nExpect: 100-continue\r\n\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_asks_whether_to_go_on_is_told_so(serve: Serve) -> None:
    with serve().connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hi")
        assert read_all(connection).startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"])
def test_noise_is_refused_and_the_service_lives_on(serve: Serve, noise: bytes) -> None:
    service = serve()
    with service.connect() as connection:
        connection.sendall(noise)
        connection.shutdown(socket.SHUT_WR)
        assert b" 500 " not in read_all(connection)
    assert service.get("/version")[0] == 200
