"""The private engine's life: start, survive, come back, go."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from stageproof.engine import find, private, processes
from stageproof.engine.client import Engine
from stageproof.engine.home import Home, wait_until
from stageproof.engine.network import run_in_root
from tests.engine.private.programs import copied

Run = Callable[..., subprocess.CompletedProcess[str]]


@contextmanager
def client_of(engine: Engine) -> Iterator[docker.DockerClient]:
    client = engine.connect()
    try:
        yield client
    finally:
        client.close()


def build_sleeper(engine: Engine, home: Home, folder: Path) -> None:
    """Build an image that sleeps, from the engine's own files: no registry is asked."""
    context = folder / "context"
    lines = ["FROM scratch", *copied(home, context, "sleep"), 'ENTRYPOINT ["/usr/bin/sleep", "600"]']
    (context / "Dockerfile").write_text("\n".join(lines))
    command = [*engine.buildx, "build", "--load", "--tag", "sleeper", str(context)]
    subprocess.run(command, env=engine.environment(), check=True, capture_output=True)


def kill_daemon(home: Home) -> int:
    pid = processes.daemon(home)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def comes_back(home: Home, killed: int) -> bool:
    return wait_until(lambda: processes.daemon(home) not in {None, killed} and private.status(home).answers, 30)


def interfaces() -> set[str]:
    return {path.name for path in Path("/sys/class/net").iterdir()}


def born(pid: int) -> str | None:
    """Tell when a living process began: numbers come again."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def ports(bridge: str) -> set[str]:
    return {path.name for path in Path("/sys/class/net", bridge, "brif").iterdir()}


def rules(home: Home, keep: Path) -> str:
    """List the firewall rules with a tool that is still there when the engine's is gone."""
    listed = subprocess.run(
        ["chroot", str(keep), "iptables-nft-save"], capture_output=True, text=True, check=True
    ).stdout
    return "\n".join(line for line in listed.splitlines() if home.cgroup in line)


def test_it_starts_within_three_seconds_of_its_making_and_says_so(home: Home) -> None:
    said: list[str] = []

    engine = private.start(said.append, home=home)

    assert engine.kind == "private"
    assert engine.store == "classic"
    seconds = float(said[-1].rpartition("started in ")[2].removesuffix(" s"))
    assert seconds < 3


def test_it_outlives_the_command_that_started_it(home: Home, invoke: Run) -> None:
    done = invoke(home, "engine.start")

    assert done.returncode == 0, done.stderr
    assert private.status(home).answers
    engine = private.find(home)
    assert engine is not None
    with client_of(engine) as client:
        assert client.ping()


def test_it_builds_and_runs_an_image_with_a_buildx_of_its_own(home: Home, tmp_path: Path) -> None:
    engine = private.start(home=home)
    build_sleeper(engine, home, tmp_path)

    with client_of(engine) as client:
        container = client.containers.run("sleeper", detach=True)

        assert wait_until(lambda: client.containers.get(str(container.id)).status == "running", 20)


def test_a_second_start_finds_the_first(home: Home) -> None:
    private.start(home=home)
    first = processes.daemon(home)
    said: list[str] = []

    private.start(said.append, home=home)

    assert processes.daemon(home) == first
    assert said == []


def test_two_starts_at_once_give_one_engine(home: Home) -> None:
    engines: list[Engine] = []
    threads = [threading.Thread(target=lambda: engines.append(private.start(home=home))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(engines) == 2
    assert engines[0] == engines[1]
    supervisors = [path for path in Path("/proc").glob("[0-9]*/cmdline") if is_supervisor_of(path, home)]
    assert len(supervisors) == 1


def is_supervisor_of(path: Path, home: Home) -> bool:
    try:
        words = path.read_bytes().split(b"\0")
    except OSError:
        return False
    return processes.SUPERVISOR.encode() in words and os.fsencode(home.folder) in words


def test_a_killed_dockerd_comes_back_by_itself_with_its_images(home: Home, tmp_path: Path) -> None:
    engine = private.start(home=home)
    build_sleeper(engine, home, tmp_path)
    with client_of(engine) as client:
        client.containers.run("sleeper", detach=True, name="one")

        assert comes_back(home, kill_daemon(home))

        assert client.images.get("sleeper").id
        assert client.containers.get("one").status == "exited"
    assert "it starts again" in home.log.read_text()


def test_the_next_command_waits_for_an_engine_that_is_just_coming_back(home: Home) -> None:
    private.start(home=home)
    killed = kill_daemon(home)

    assert private.find(home) is not None
    assert processes.daemon(home) not in {None, killed}


def test_an_engine_killed_with_its_supervisor_is_started_by_the_next_command(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = private.start(home=home)
    build_sleeper(engine, home, tmp_path)
    with client_of(engine) as client:
        client.containers.run("sleeper", detach=True)
    supervisor = processes.supervisor(home)
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    kill_daemon(home)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(find, "DEFAULT_SOCKET", tmp_path / "none.sock")

    again = find.ensure(home=home)

    assert again.kind == "private"
    with client_of(again) as client:
        assert client.images.get("sleeper").id


def test_stop_keeps_the_images_and_a_start_has_them_again(home: Home, tmp_path: Path) -> None:
    build_sleeper(private.start(home=home), home, tmp_path)

    assert private.stop(home)
    assert not private.status(home).answers
    assert not private.stop(home)

    with client_of(private.start(home=home)) as client:
        assert client.images.get("sleeper").id


def test_the_containerd_image_store_is_had_on_request_and_kept_until_another_is_asked_for(home: Home) -> None:
    assert private.start(home=home, store="containerd").store == "containerd"
    assert private.start(home=home).store == "containerd"
    assert private.start(home=home, store="classic").store == "classic"


def test_two_engines_have_bridges_and_ranges_of_their_own(new_home: Callable[[], Home]) -> None:
    one, two = new_home(), new_home()
    private.start(home=one)
    private.start(home=two)

    assert private.status(one).pool != private.status(two).pool
    assert {one.bridge, two.bridge} <= interfaces()

    private.remove(two)

    assert private.status(one).answers
    assert one.bridge in interfaces()


def test_remove_leaves_nothing_behind(home: Home, root_file_system: Path, tmp_path: Path) -> None:
    engine = private.start(home=home)
    build_sleeper(engine, home, tmp_path)
    with client_of(engine) as client:
        made = client.networks.create("mine", driver="bridge")
        client.containers.run("sleeper", detach=True, network="mine", init=True)
        bridge = f"br-{str(made.id)[:12]}"
        ours = {home.bridge, bridge, *ports(bridge)}
    assert len(ours) == 3
    assert ours <= interfaces()
    assert rules(home, root_file_system)
    running = {pid: born(pid) for pid in processes.left(home)}
    assert len(running) > 5

    assert private.remove(home)

    assert not home.folder.parent.exists()
    assert wait_until(lambda: not ours & interfaces(), 5)
    assert rules(home, root_file_system) == ""
    assert processes.left(home) == []
    assert wait_until(lambda: not [pid for pid, at in running.items() if born(pid) == at], 5)
    assert not list(Path("/sys/fs/cgroup").glob(f"**/{home.cgroup}"))
    assert str(home.folder) not in Path("/proc/self/mountinfo").read_text()
    assert not private.remove(home)


def test_remove_also_clears_what_a_killed_engine_left(home: Home, root_file_system: Path) -> None:
    private.start(home=home)
    supervisor = processes.supervisor(home)
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    kill_daemon(home)
    # What a kill in the middle of a container's start leaves: a pair of ports, both still on the host.
    run_in_root(home, "ip", "link", "add", "sproof-left", "type", "veth", "peer", "name", "sproof-right")
    run_in_root(home, "ip", "link", "set", "sproof-left", "master", home.bridge)

    private.remove(home)

    assert not {home.bridge, "sproof-left", "sproof-right"} & interfaces()
    assert rules(home, root_file_system) == ""


def test_status_tells_each_state(home: Home, invoke: Run) -> None:
    assert "stopped" in invoke(home, "engine.status").stdout

    private.start(home=home)
    assert f"answers at {home.host}" in invoke(home, "engine.status").stdout

    assert invoke(home, "engine.stop").stdout == "stopped\n"
    assert invoke(home, "engine.remove").stdout == "removed\n"
    assert "not made" in invoke(home, "engine.status").stdout


OURS = re.compile(r" -[io] sp\w+ ")
"""A rule that Docker made for a bridge of a private engine."""
SOMEBODY = "FORWARD -s 192.0.2.1/32 -m comment --comment stageproof-somebody -j ACCEPT"
"""A rule marked like those of another private engine, about an address that nobody has."""


def test_no_rule_of_another_owner_is_touched(home: Home, root_file_system: Path) -> None:
    def iptables(*words: str) -> list[str]:
        command = ["chroot", str(root_file_system), "iptables-nft", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    def others() -> list[str]:
        # Other engines of these tests start and stop meanwhile: theirs are marked like ours, and one stands for them.
        marked = (line for line in iptables("-S") if "stageproof-" not in line or "stageproof-somebody" in line)
        return [line for line in marked if not OURS.search(line)]

    iptables("-A", *SOMEBODY.split())
    try:
        before = others()
        assert f"-A {SOMEBODY}" in before
        private.start(home=home)
        assert others() == before
        private.stop(home)
        assert others() == before
    finally:
        iptables("-D", *SOMEBODY.split())
