"""Containers: how they start, how they are waited for, and that nothing of them is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import docker
import docker.errors
import pytest

from stageproof.errors import ContainerError, NothingBuiltError
from stageproof.live import Live, Options, Run, finish, remove_run, sweep
from stageproof.live.run import OWNER_LABEL, RUN_LABEL, Owner
from stageproof.live.wait import until

Broken = Callable[..., str]
Session = Callable[[str], Live]


def names(client: docker.DockerClient, label: str) -> list[str]:
    return [str(one.name) for one in client.containers.list(all=True, filters={"label": label})]


def test_a_container_is_gone_when_its_block_ends(
    client: docker.DockerClient, service_image: str, session: Session
) -> None:
    with session(service_image).start() as container:
        assert container.state().running
    with pytest.raises(docker.errors.NotFound):
        client.containers.get(container.id)


def test_a_container_is_gone_after_an_interrupt(
    client: docker.DockerClient, service_image: str, session: Session
) -> None:
    container = session(service_image).start()
    with pytest.raises(KeyboardInterrupt), container:
        raise KeyboardInterrupt
    with pytest.raises(docker.errors.NotFound):
        client.containers.get(container.id)


def test_a_container_that_cannot_start_leaves_nothing(
    client: docker.DockerClient, broken: Broken, session: Session, run: Run
) -> None:
    live = session(broken("", 'ENTRYPOINT ["/absent"]'))
    before = names(client, f"{RUN_LABEL}={run.id}")
    with pytest.raises(ContainerError) as error:
        live.start()
    assert "no such file" in error.value.seen
    assert names(client, f"{RUN_LABEL}={run.id}") == before


def test_an_image_that_is_not_there_is_not_the_images_fault(session: Session) -> None:
    with pytest.raises(NothingBuiltError):
        session("stageproof.invalid/absent").start()


def test_waiting_for_a_container_that_ends_fails_at_once_with_its_last_words(broken: Broken, session: Session) -> None:
    with session(broken("crash")).start() as container, pytest.raises(ContainerError) as error:
        container.wait_for(lambda: None, 60, "pigs fly")
    assert error.value.failed == "the container ended with exit code 1 before pigs fly"
    assert error.value.seen.strip() == "crash: this is what it says"


def test_waiting_for_what_never_happens_ends_at_the_deadline(service_image: str, session: Session) -> None:
    with session(service_image).start() as container, pytest.raises(ContainerError, match=r"after 0\.2 s"):
        container.wait_for(lambda: False, 0.2, "pigs fly")


def test_a_signal_to_a_container_that_has_ended_tells_how_it_ended(broken: Broken, session: Session) -> None:
    with session(broken("crash")).start() as container:
        assert container.wait_ended(10)
        with pytest.raises(ContainerError, match="exit code 1"):
            container.signal()


def test_a_program_inside_gives_its_own_exit_code(service_image: str, session: Session) -> None:
    with session(service_image).start() as container:
        assert container.execute(["python3", "-c", "import sys; print('here'); sys.exit(127)"]) == (127, "here\n")


def test_a_program_that_is_not_there_gives_no_exit_code(service_image: str, session: Session) -> None:
    with session(service_image).start() as container, pytest.raises(ContainerError, match="cannot be executed"):
        container.execute(["/absent"])


def test_what_a_container_writes_is_seen(broken: Broken, session: Session) -> None:
    with session(broken("writes")).start() as container:
        assert until(lambda: "A /var/tmp/state" in container.changed_files(), 10)


def test_the_settings_reach_the_container(service_image: str, session: Session) -> None:
    options = Options(env={"A": "ä b"}, user="7:0", memory=64_000_000, command=["healthcheck"], health_seconds=2)
    with session(service_image).start(options) as container:
        seen = container.inspect()
    assert "A=ä b" in seen["Config"]["Env"]
    assert seen["Config"]["User"] == "7:0"
    assert seen["Config"]["Cmd"] == ["healthcheck"]
    assert seen["Config"]["Healthcheck"]["Test"][-1] == "healthcheck"
    assert seen["Config"]["Healthcheck"]["Interval"] == 2_000_000_000
    assert seen["HostConfig"]["NetworkMode"] == "none"


def child(program: str, image: str) -> subprocess.Popen[str]:
    """Start another process that starts a container, and says so."""
    lines = (
        "import docker, os, sys",
        "from stageproof.live import Options, Run, sigterm_as_interrupt",
        "from stageproof.live.container import start",
        "client, run = docker.from_env(), Run.new(sys.argv[2])",
        program,
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONWARNINGS": "ignore"}
    return subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines), image, Run.new().id],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


STAYS = """
with sigterm_as_interrupt(), start(client, sys.argv[1], run) as container:
    print(container.id, flush=True)
    sys.stdin.readline() or __import__('signal').pause()
"""
DIES = """
container = start(client, sys.argv[1], run)
print(container.id, flush=True)
os._exit(9)
"""


@pytest.fixture
def docker_host(client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other processes find the engine of the tests."""
    monkeypatch.setenv("DOCKER_HOST", client.api.base_url.replace("http+docker://localhost", _address(client)))


def _address(client: docker.DockerClient) -> str:
    adapter = client.api.adapters["http+docker://"]
    return f"unix://{adapter.socket_path}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=lambda sent: sent.name)
@pytest.mark.usefixtures("docker_host")
def test_a_process_that_is_stopped_removes_its_containers(
    client: docker.DockerClient, service_image: str, sent: signal.Signals
) -> None:
    with child(STAYS, service_image) as process:
        assert process.stdout
        container = process.stdout.readline().strip()
        assert client.containers.get(container).id == container
        process.send_signal(sent)
        assert process.wait(30) != 0
    with pytest.raises(docker.errors.NotFound):
        client.containers.get(container)


@pytest.mark.usefixtures("docker_host")
def test_a_sweep_removes_what_a_killed_process_left_and_nothing_else(
    client: docker.DockerClient, service_image: str, session: Session, run: Run
) -> None:
    with session(service_image).start() as mine, child(DIES, service_image) as process:
        assert process.stdout
        orphan = process.stdout.readline().strip()
        process.wait(30)
        assert client.containers.get(orphan).id == orphan
        sweep(client)
        with pytest.raises(docker.errors.NotFound):
            client.containers.get(orphan)
        assert client.containers.get(mine.id).labels[RUN_LABEL] == run.id


def test_a_sweep_leaves_what_another_machine_started(
    client: docker.DockerClient, service_image: str, session: Session
) -> None:
    elsewhere = Run("elsewhere", Owner("another-machine/-", "boot", 1, "1"))
    live = Live(client, service_image, run=elsewhere, helper_image="")
    with live.start() as container:
        sweep(client)
        assert client.containers.get(container.id).labels[OWNER_LABEL] == "another-machine/- boot 1 1"
    assert session(service_image).exposed == [("tcp", 8080)]


def test_a_whole_run_can_be_removed_at_once(client: docker.DockerClient, service_image: str) -> None:
    run = Run.new()
    live = Live(client, service_image, run=run, helper_image="")
    started = [live.start(), live.start()]
    assert sorted(remove_run(client, run.id)) == sorted(one.name for one in started)
    assert names(client, f"{RUN_LABEL}={run.id}") == []


def test_what_a_stopped_run_left_goes_when_its_process_has_ended(
    client: docker.DockerClient, service_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = Owner.this_process()
    dead = Run(Run.new().id, Owner(me.machine, me.boot, me.pid, "1"))
    Live(client, service_image, run=dead, helper_image="").start()
    # By the module's full name: the package has a function of the same.
    monkeypatch.setattr(
        sys.modules["stageproof.live.sweep"], "remove_run", lambda *_: pytest.fail("it waited for the deadline")
    )
    finish(client, dead.id, 60)
    assert names(client, f"{RUN_LABEL}={dead.id}") == []


def test_what_a_stopped_run_left_goes_at_the_deadline_though_its_process_lives(
    client: docker.DockerClient, service_image: str
) -> None:
    run = Run.new()
    Live(client, service_image, run=run, helper_image="").start()
    finish(client, run.id, 0.2)
    assert names(client, f"{RUN_LABEL}={run.id}") == []
