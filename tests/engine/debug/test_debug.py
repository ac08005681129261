"""`stageproof debug`: tools in a container that has none, and no trace of them."""

from __future__ import annotations

import hashlib
import io
import re
import signal
import subprocess
import tarfile
import termios
from collections.abc import Callable

import docker
import pytest

from stageproof.live import Container
from stageproof.live.run import OWNER_LABEL
from stageproof.live.wait import until
from tests.engine.debug.conftest import COMMAND, Terminal, piped

Started = Callable[..., Container]
OpenTerminal = Callable[..., Terminal]


def helpers_of(client: docker.DockerClient, target: Container) -> list[str]:
    """Name the containers beside a target."""
    mode = f"container:{target.id}"
    found = client.api.containers(all=True, filters={"label": OWNER_LABEL})
    beside = []
    for one in found:
        try:
            about = client.api.inspect_container(one["Id"])
        except docker.errors.NotFound:
            continue
        beside += [one["Id"]] if about["HostConfig"]["PidMode"] == mode else []
    return beside


def digests(client: docker.DockerClient, target: Container) -> dict[str, tuple[int, int, float, str]]:
    """Give mode, owner, time and digest of everything in a container, as the engine packs it now."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(client.api.export(target.id)))) as tar:
        return {member.name: (member.mode, member.uid, member.mtime, _content(tar, member)) for member in tar}


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = tar.extractfile(member) if member.isreg() else None
    return hashlib.sha256(file.read()).hexdigest() if file else member.linkname


def test_a_session_at_a_terminal_leaves_the_container_as_it_was(
    client: docker.DockerClient, started: Started, terminal: OpenTerminal
) -> None:
    target = started()
    before = digests(client, target)
    session = terminal(target.name)
    session.wait_for("# ")
    session.type("ls /app; pwd\r")
    assert re.search(r"\r\nqr\r\n/app\r\n$", session.wait_for(target.name))
    session.wait_for("# ")
    session.type("ps | grep -c '[/]app/qr'; cat /proc/1/comm\r")
    assert "\r\n1\r\nqr\r\n" in session.wait_for(target.name)
    session.wait_for("# ")
    session.type("exit 3\r")
    assert session.wait() == 3
    assert target.changed_files() == []
    assert digests(client, target) == before
    assert helpers_of(client, target) == []
    assert target.state().running


def test_it_works_on_a_hardened_container(target: Container) -> None:
    ran = piped(
        target.name, "sh", "-c", "id -u; ls / | grep -x app; grep ^Uid /proc/1/status; wget -qO- 127.0.0.1:8080/healthz"
    )
    lines = ran.stdout.decode().splitlines()
    assert ran.returncode == 0, ran.stderr
    assert lines[:2] == ["0", "app"]
    assert lines[2].split()[1] == "1234567"
    assert "ok" in lines[3]
    assert target.changed_files() == []


def test_the_window_and_its_changes_are_told(target: Container, terminal: OpenTerminal) -> None:
    session = terminal(target.name)
    session.wait_for("# ")
    session.type("stty size\r")
    session.wait_for("24 80")
    session.resize(30, 100)
    assert until(lambda: _size(session) == "30 100", 20)
    session.type("exit\r")
    assert session.wait() == 0


def _size(session: Terminal) -> str:
    session.type("stty size; echo told\r")
    session.wait_for("stty size; echo told")
    return session.wait_for("told").strip()


def test_ctrl_c_is_for_the_command_and_not_for_the_session(target: Container, terminal: OpenTerminal) -> None:
    session = terminal(target.name)
    session.wait_for("# ")
    session.type("echo begun; sleep 600\r")
    session.wait_for("begun\r\n")

    def pressed() -> bool:
        """Press; one that comes before the shell has begun to wait for the command is lost, and a person does so."""
        session.type("\x03")
        return session.shows("# ", 1)

    assert until(pressed, 30)
    session.wait_for("# ")
    session.type("echo still $((40 + 2))\r")
    session.wait_for("still 42")
    session.wait_for("# ")
    session.type("\x04")
    session.wait()
    assert target.state().running


def test_the_terminal_is_as_before(target: Container, terminal: OpenTerminal) -> None:
    session = terminal(target.name)
    before = termios.tcgetattr(session.master)
    session.wait_for("# ")
    assert termios.tcgetattr(session.master) != before
    session.type("exit\r")
    assert session.wait() == 0
    assert termios.tcgetattr(session.master) == before


def test_a_closed_terminal_ends_the_session(
    client: docker.DockerClient, target: Container, terminal: OpenTerminal
) -> None:
    session = terminal(target.name)
    session.wait_for("# ")
    assert len(helpers_of(client, target)) == 1
    session.close()
    assert session.wait() != 0
    assert helpers_of(client, target) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_session_in_a_pipe_that_is_stopped_is_removed(
    client: docker.DockerClient, target: Container, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [*COMMAND, target.name, "sh", "-c", "echo begun; sleep 600"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(number)
        assert process.wait(30) == 130
    assert helpers_of(client, target) == []


def test_commands_come_through_a_pipe(target: Container) -> None:
    ran = piped(target.name, stdin=b"ls /app\necho err >&2\nexit 5\n")
    assert (ran.returncode, ran.stdout, ran.stderr) == (5, b"qr\n", b"err\n")


def test_bytes_go_through_unchanged_and_with_their_end(target: Container) -> None:
    data = bytes(range(256)) * 8192
    assert piped(target.name, "cat", stdin=data).stdout == data
    assert piped(target.name, "cat").stdout == b""


def test_a_command_that_does_not_read_is_not_waited_for(target: Container) -> None:
    ran = piped(target.name, "head", "-c", "3", stdin=b"abc" * 3_000_000)
    assert (ran.returncode, ran.stdout) == (0, b"abc")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 42"], 42),
        (["sh", "-c", "kill -9 $$"], 137),
        (["nosuchprogram"], 127),
        (["/etc/passwd"], 126),
        (["/app/qr", "nonsense"], 2),
    ],
    ids=str,
)
def test_the_exit_code_is_the_commands(target: Container, command: list[str], code: int) -> None:
    assert piped(target.name, *command).returncode == code


def test_options_after_the_container_are_the_commands(target: Container) -> None:
    assert piped(target.name, "ls", "-d", "/app", "--color=never").stdout == b"/app\n"


def test_a_container_is_found_by_its_id_too(target: Container) -> None:
    assert piped(target.id[:12], "ls", "/app").stdout == b"qr\n"


def test_an_unknown_container_is_an_error_with_the_nearest_names(client: docker.DockerClient, started: Started) -> None:
    started()
    created = client.containers.create(started().image, name="stageproof-debug-shop", network_mode="none")
    try:
        created.start()
        ran = piped("stageproof-debug-shob")
        assert ran.returncode == 2
        assert b"there is no container 'stageproof-debug-shob'" in ran.stderr
        assert b"did you mean stageproof-debug-shop?" in ran.stderr
    finally:
        created.remove(force=True)


def test_a_container_that_does_not_run_is_an_error(started: Started) -> None:
    target = started(env={"PORT": "nonsense"})
    assert target.wait_ended(10)
    ran = piped(target.name, "true")
    assert ran.returncode == 31
    assert b"does not run" in ran.stderr
    assert b"exit code 2" in ran.stderr


def test_a_container_that_ends_meanwhile_is_an_error(target: Container) -> None:
    with subprocess.Popen(
        [*COMMAND, target.name, "sh", "-c", "echo begun; sleep 600"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"begun\n"
        target.signal("SIGKILL")
        assert process.wait(30) == 31
        assert b"the container ended with exit code 137 before the session was over" in process.stderr.read()


def test_an_engine_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    ran = piped("x")
    assert ran.returncode in range(10, 19)
    assert b"no engine answers" in ran.stderr


def test_the_help_says_what_it_does() -> None:
    shown = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    assert "CONTAINER is a name or an id" in shown
