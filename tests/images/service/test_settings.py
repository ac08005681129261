"""The settings: right ones are obeyed, wrong ones end the start."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from stageproof.live import Live
from stageproof.live.session import Running

OTHER_PORT = 9191
AT_ONCE = 3
BAD = {
    "PORT=abc": ("PORT", "abc"),
    "PORT=0": ("PORT", "0"),
    "PORT=65536": ("PORT", "65536"),
    "LOG_LEVEL=loud": ("LOG_LEVEL", "loud"),
    "DRAIN_SECONDS=-1": ("DRAIN_SECONDS", "-1"),
    "DRAIN_SECONDS=1.5": ("DRAIN_SECONDS", "1.5"),
    "SHUTDOWN_SECONDS=3601": ("SHUTDOWN_SECONDS", "3601"),
    "CHAOS_DELAY=soon": ("CHAOS_DELAY", "soon"),
    "CHAOS_UNHEALTHY_AFTER=3601": ("CHAOS_UNHEALTHY_AFTER", "3601"),
}


@dataclass(frozen=True)
class Ending:
    """How a start with a bad value ended."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def endings(other: Running, live: Live) -> Mapping[str, Ending]:
    """Start the image's program once for each bad value, in a container that runs: cheaper than a container each."""
    command = [*live.config["Entrypoint"], *(live.config["Cmd"] or [])]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = threads.map(lambda pair: started(other, command, dict([pair])), BAD.values())
    return dict(zip(BAD, found, strict=True))


def started(running: Running, command: list[str], env: dict[str, str]) -> Ending:
    """Run the command to its end, and tell its output apart."""
    api = running.container.client.api
    number = api.exec_create(running.container.id, command, environment=env)["Id"]
    stdout, stderr = api.exec_start(number, demux=True)
    return Ending(api.exec_inspect(number)["ExitCode"], (stdout or b"").decode(), (stderr or b"").decode())


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_ends_the_start_with_code_2_and_one_line(endings: Mapping[str, Ending], name: str) -> None:
    variable, value = BAD[name]
    ending = endings[name]
    assert ending.exit_code == 2, ending
    assert ending.stdout == ""
    assert len(ending.stderr.splitlines()) == 1
    assert ending.stderr.startswith(f'{variable}: "{value}" ')


def test_another_port_is_listened_on_and_the_usual_one_is_not(other: Running) -> None:
    assert other.ask("/version", port=OTHER_PORT).status == 200
    assert other.ask("/version").error == "refused"


def test_health_fails_when_it_is_told_to(other: Running) -> None:
    answer = other.ask("/healthz", port=OTHER_PORT)
    assert (answer.status, answer.json()) == (503, {"status": "failing"})
    assert answer.header("Cache-Control") == "no-store"
    assert other.ask("/readyz", port=OTHER_PORT).status == 200


def test_the_self_probe_says_healthy(service: Running, live: Live) -> None:
    assert live.health_command
    assert live.health_command[0] == "CMD"
    code, output = service.container.execute(live.health_command[1:])
    assert code == 0, output


def test_the_self_probe_says_unhealthy_when_health_fails(other: Running, live: Live) -> None:
    assert live.health_command
    code, output = other.container.execute(live.health_command[1:])
    assert code == 1, output


def test_the_self_probe_says_unhealthy_where_nothing_listens(service: Running, live: Live) -> None:
    assert live.health_command
    code, output = service.container.execute(live.health_command[1:], {"PORT": "1"})
    assert code == 1, output
