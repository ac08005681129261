"""What has no shell, is hardened, has ended or was never there: a right answer or a clear error, and no change."""

from __future__ import annotations

import stat
from collections.abc import Callable
from typing import Any

import docker
import pytest
import testinfra

from stageproof.errors import ContainerError, EngineError, NothingBuiltError, QuestionError, UsageError
from stageproof.live import Container, Options
from stageproof.live.wait import until
from stageproof.testinfra import opened
from stageproof.testinfra.backend import host_of
from tests.engine.testinfra.content import packed

Host = Any
"""testinfra's: its modules have no types."""
Started = Callable[..., Container]
HARDENED = {
    "read_only": True,
    "drop_capabilities": True,
    "no_new_privileges": True,
    "user": "1234567:0",
    "tmpfs": {"/tmp": "rw,noexec"},
}

SOCKETS = """
import socket, time
def listen(family, address, port, kind=socket.SOCK_STREAM, only=None):
    one = socket.socket(family, kind)
    if only is not None:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
    one.bind((address, port) if port else address)
    if kind == socket.SOCK_STREAM:
        one.listen()
    return one
four, six = socket.AF_INET, socket.AF_INET6
held = [
    listen(four, "0.0.0.0", 8001), listen(six, "::", 8002, only=1), listen(six, "::", 8003, only=0),
    listen(four, "127.0.0.1", 8004), listen(four, "0.0.0.0", 8005, socket.SOCK_DGRAM),
    listen(socket.AF_UNIX, "/tmp/a socket", 0), listen(four, "0.0.0.0", 8006), listen(six, "::", 8006, only=1),
]
for address in (("127.0.0.1", 8001), ("127.0.0.1", 8001)):
    held.append(socket.create_connection(address)); held.append(held[0].accept()[0])
client = socket.socket(socket.AF_UNIX); client.connect("/tmp/a socket"); held += [client, held[5].accept()[0]]
print("ready"); time.sleep(600)
"""

HIDING = """
import ctypes, os, time
if os.fork() == 0:
    os.execv("/usr/bin/sleep", ["a long (name) here", "600"])
child = os.fork()
if child == 0:
    os._exit(0)
open("/tmp/a file", "w").close()
print("ready"); time.sleep(600)
"""


def test_there_is_no_shell_though_the_helper_has_one(bare: Host, debian: Host) -> None:
    assert not bare.exists("sh")
    assert not bare.file("/bin/sh").exists
    assert not bare.exists("python3")
    assert debian.exists("sh")


@pytest.mark.parametrize(
    "command", ["sh -c true", "ls", "/app/qr | cat", "true && true", "X=1 /app/qr", "echo $HOME", "/app/q*", "", "a\nb"]
)
def test_a_command_that_cannot_be_run_is_an_error_and_no_exit_code(bare: Host, command: str) -> None:
    with pytest.raises(QuestionError, match="cannot be run in") as error:
        bare.run(command)
    assert "the container has no shell" in error.value.seen


def test_a_shell_is_used_where_there_is_one(debian: Host) -> None:
    assert debian.run("echo $((1 + 1)) | cat; exit 3").rc == 3
    assert debian.run("echo out; echo err >&2").stderr == "err\n"
    assert debian.run("nosuchprogram").rc == 127
    assert debian.run("kill -9 $$").rc == 137
    assert debian.check_output("printf %s", "'\"$x") == "'\"$x"


@pytest.mark.parametrize(
    "ask",
    [
        lambda host: host.service("nginx").exists,
        lambda host: host.service("nginx").is_running,
        lambda host: host.addr("localhost").is_resolvable,
        lambda host: host.docker("x").is_running,
        lambda host: host.pip("pip").version,
        lambda host: host.iptables.rules(),
        lambda host: host.supervisor("x").is_running,
        lambda host: host.block_device("/dev/sda").size,
        lambda host: host.process.get(pid=1).no_keyword,
        lambda host: host.sysctl("kernel.hostname"),
    ],
    ids=[
        "service",
        "service.is_running",
        "addr",
        "docker",
        "pip",
        "iptables",
        "supervisor",
        "block_device",
        "process",
        "sysctl",
    ],
)
def test_what_needs_programs_of_the_container_is_a_clear_error(bare: Host, ask: Callable[[Host], object]) -> None:
    with pytest.raises(QuestionError):
        ask(bare)


def test_ansible_is_told_by_testinfra_to_need_its_own_backend(bare: Host) -> None:
    with pytest.raises(RuntimeError, match="only available with ansible"):
        bare.ansible("setup")


def test_testinfras_service_answers_where_there_is_a_shell(debian: Host) -> None:
    assert not debian.service("nginx").is_enabled


def test_a_hardened_container_is_looked_into_and_not_changed(started: Started) -> None:
    container = started(**HARDENED)
    with opened.container(container.name) as inside:
        host: Host = host_of(inside)
        assert host.file("/app/qr").is_executable
        assert host.file("/root").is_directory
        assert stat.S_IMODE(host.file("/tmp").mode)
        assert host.process.get(pid=1).uid == 1234567
        assert host.process.get(pid=1).gid == 0
        assert host.package("tzdata").is_installed
        assert host.mount_point("/").options[0] == "ro"
        assert host.environment()["HOME"] == "/"
        with pytest.raises(AssertionError, match="does not have a name of the user 1234567"):
            _ = host.user().name
    assert container.changed_files() == []


def test_what_only_root_may_see_is_seen_and_not_called_absent(bare: Host) -> None:
    assert bare.file("/data/closed/inside").exists
    assert not bare.file("/data/closed/inside").is_executable
    assert bare.user("alice").password == "$6$salt$hash"  # noqa: S105 -- the test's own
    assert bare.user("alice").expiration_date.strftime("%Y-%m-%d") == "2024-10-04"


def test_a_root_without_capabilities_may_not_execute_what_others_own(started: Started) -> None:
    container = started(user="0:0", drop_capabilities=True)
    with opened.container(container.name) as inside:
        host: Host = host_of(inside)
        assert not host.file("/home/nonroot").is_executable
        assert host.file("/app/qr").is_executable


def test_a_dead_container_is_an_error_and_never_an_absence(started: Started) -> None:
    container = started()
    host: Host = testinfra.get_host(f"stageproof://{container.name}")
    assert host.file("/app/qr").exists
    container.signal("SIGKILL")
    assert container.wait_ended(10)
    asks: list[Callable[[], object]] = [
        lambda: host.file("/bin/sh").exists,
        lambda: host.exists("sh"),
        lambda: host.process.filter(comm="qr"),
        lambda: host.socket("tcp://8080").is_listening,
        lambda: host.run("/app/qr healthcheck"),
    ]
    for ask in asks:
        with pytest.raises(ContainerError, match="ended with exit code 137"):
            ask()


def test_a_container_that_has_ended_before_is_an_error_with_its_last_lines(started: Started) -> None:
    container = started(env={"PORT": "nonsense"})
    assert container.wait_ended(10)
    host: Host = testinfra.get_host(f"stageproof://{container.id}")
    with pytest.raises(ContainerError, match="does not run") as error:
        _ = host.file("/bin/sh").exists
    assert "exit code 2" in error.value.seen
    assert "PORT" in error.value.seen


def test_a_container_that_was_removed_is_an_error(started: Started) -> None:
    container = started()
    host: Host = testinfra.get_host(f"stageproof://{container.name}")
    assert not host.exists("sh")
    container.remove()
    with pytest.raises(ContainerError):
        host.exists("sh")


def test_a_container_that_never_was_is_an_error() -> None:
    with pytest.raises(UsageError, match="there is no container 'stageproof-no-such'"):
        testinfra.get_host("stageproof://stageproof-no-such").exists("sh")


def test_an_engine_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    opened.close()
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(EngineError, match="no engine answers"):
        testinfra.get_host("stageproof://no-engine").exists("sh")


def test_a_container_that_shares_anothers_processes_is_refused(
    client: docker.DockerClient, started: Started, image_of: Callable[[str], str]
) -> None:
    first = started()
    created = client.containers.create(image_of("go-distroless"), pid_mode=f"container:{first.id}", network_mode="none")
    try:
        created.start()
        with pytest.raises(ContainerError, match="cannot be looked into"):
            opened.container(str(created.name))
    finally:
        created.remove(force=True)


def test_sockets_are_told_by_family_address_and_kind(python_target: Callable[[str], Container]) -> None:
    with opened.container(python_target(SOCKETS).name) as inside:
        host: Host = host_of(inside)
        listening = {
            spec: host.socket(spec).is_listening
            for spec in (
                *("tcp://8001", "tcp://0.0.0.0:8001", "tcp://:::8001"),
                *("tcp://8002", "tcp://0.0.0.0:8002", "tcp://:::8002"),
                *("tcp://8003", "tcp://0.0.0.0:8003", "tcp://:::8003"),
                *("tcp://8004", "tcp://127.0.0.1:8004", "tcp://8006"),
                *("tcp://127.0.0.1:8001", "tcp://127.0.0.1:8002", "tcp://::1:8002", "tcp://::1:8001"),
                *("udp://0.0.0.0:8005", "tcp://0.0.0.0:8005", "unix:///tmp/a socket", "unix:///tmp/other"),
            )
        }
        clients = host.socket("tcp://8001").clients
        assert sorted(address for address, _ in clients) == ["127.0.0.1", "127.0.0.1"]
        assert host.socket("tcp://8002").clients == []
        assert host.socket("unix:///tmp/a socket").clients == [None]
        assert "unix:///tmp/a socket" in host.socket.get_listening_sockets()
    assert [spec for spec, is_listening in listening.items() if is_listening] == [
        "tcp://0.0.0.0:8001",
        "tcp://:::8002",
        "tcp://8003",
        "tcp://0.0.0.0:8003",
        "tcp://:::8003",
        "tcp://127.0.0.1:8004",
        "tcp://8006",
        "tcp://127.0.0.1:8001",
        "tcp://::1:8002",
        "udp://0.0.0.0:8005",
        "unix:///tmp/a socket",
    ]


def test_processes_are_the_containers_own_and_read_as_ps_would(python_target: Callable[[str], Container]) -> None:
    with opened.container(python_target(HIDING).name) as inside:
        host: Host = host_of(inside)
        assert sorted(process.pid for process in host.process.filter()) == [1, *sorted(_children(host))]
        assert host.process.get(comm="sleep").args == "a long (name) here 600"
        assert until(lambda: bool(host.process.filter(state="Z")), 10)
        zombie = host.process.get(state="Z")
        assert (zombie.comm, zombie.args, zombie.ppid) == ("python3 <defunct>", "[python3] <defunct>", 1)


def _children(host: Host) -> list[int]:
    return [process.pid for process in host.process.filter(ppid=1)]


def test_what_an_image_from_scratch_lacks_is_absent_or_cannot_be_told(scratch_image: str) -> None:
    with opened.started(scratch_image) as inside:
        host: Host = host_of(inside)
        assert host.file("/qr").is_executable
        assert host.process.get(comm="qr").user == 65532
        assert not host.file("/etc/passwd").exists
        assert not host.user("root").exists
        assert not host.group("root").exists
        assert host.system_info.distribution is None
        with pytest.raises(QuestionError, match=r"the packages of .* cannot be told"):
            _ = host.package("tzdata").is_installed


def test_packages_that_only_rpm_can_read_cannot_be_told_without_it(
    scratch_image: str, client: docker.DockerClient
) -> None:
    with opened.started(scratch_image) as inside:
        client.api.put_archive(inside.container.id, "/", packed({"var/lib/rpm/rpmdb.sqlite": b"SQLite"}))
        host: Host = host_of(inside)
        with pytest.raises(QuestionError) as error:
            _ = host.package("bash").is_installed
    assert error.value.seen == "rpm's data base, and no rpm to read it"


def test_alpines_packages_have_a_version_and_a_release(scratch_image: str, client: docker.DockerClient) -> None:
    record = b"C:Q1\nP:musl\nV:1.2.5-r9\nA:x86_64\nF:lib\nR:ld-musl.so.1\n\nP:zlib\nV:1.3.1-r2\nA:x86_64\n\n"
    with opened.started(scratch_image) as inside:
        client.api.put_archive(inside.container.id, "/", packed({"lib/apk/db/installed": record}))
        host: Host = host_of(inside)
        package = host.package("musl")
        assert (package.is_installed, package.version, package.release) == (True, "1.2.5", "r9")
        assert not host.package("bash").is_installed


def test_an_image_is_started_for_a_host_and_removed(
    client: docker.DockerClient, image_of: Callable[[str], str]
) -> None:
    host: Host = testinfra.get_host(f"stageproof-image://{image_of('go-distroless')}")
    assert host.socket("tcp://8080").is_listening
    name = host.backend.inside.container.name
    limits = client.containers.get(name).attrs["HostConfig"]
    assert limits["Memory"] > 0
    assert limits["PidsLimit"] > 0
    opened.close()
    testinfra.host.Host._host_cache.clear()
    assert not client.containers.list(all=True, filters={"name": name})


def test_an_image_is_named_with_its_slash_written_as_a_number(image_of: Callable[[str], str]) -> None:
    assert image_of("go-distroless")
    host: Host = testinfra.get_host("stageproof-image://root@stageproof%2Fgo:distroless")
    assert host.file("/app/qr").exists
    assert host.user().name == "root"


def test_an_image_that_is_not_there_is_an_error() -> None:
    with pytest.raises(NothingBuiltError, match="no image stageproof-no-such") as error:
        testinfra.get_host("stageproof-image://stageproof-no-such").exists("sh")
    assert "%2F" in error.value.do


def test_an_image_that_ends_at_once_is_an_error_with_its_last_lines(image_of: Callable[[str], str]) -> None:
    with (
        pytest.raises(ContainerError, match="ended with exit code 2"),
        opened.started(image_of("go-distroless"), options=Options(env={"PORT": "nonsense"})),
    ):
        pytest.fail("it was taken for ready")
