"""Nothing is left behind: at the end, after Ctrl-C, and at the next start after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import docker

from stageproof.live import sweep
from stageproof.live.wait import until

PROGRAM = """
import sys, time, testinfra, stageproof.testinfra
host = testinfra.get_host("stageproof-image://" + sys.argv[1])
assert host.file("/app/qr").exists
inside = host.backend.inside
print(inside.container.id, inside.helper.id, flush=True)
{then}
"""


@contextmanager
def _process(image: str, then: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    command = [sys.executable, "-c", PROGRAM.format(then=then), image]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ.copy()) as process:
        assert process.stdout
        yield process, process.stdout.readline().split()
        process.kill()


def _left(client: docker.DockerClient, containers: list[str]) -> list[str]:
    existing = {one["Id"] for one in client.api.containers(all=True)}
    assert containers
    return [one for one in containers if one in existing]


def test_a_program_that_ends_removes_what_it_has_started(
    client: docker.DockerClient, image_of: Callable[[str], str]
) -> None:
    with _process(image_of("go-distroless"), "") as (process, containers):
        assert process.wait(30) == 0
        assert _left(client, containers) == []


def test_ctrl_c_removes_what_was_started(client: docker.DockerClient, image_of: Callable[[str], str]) -> None:
    with _process(image_of("go-distroless"), "time.sleep(600)") as (process, containers):
        assert _left(client, containers) == containers
        process.send_signal(signal.SIGINT)
        assert process.wait(30) != 0
        assert _left(client, containers) == []


def test_what_a_killed_program_leaves_the_next_start_removes(
    client: docker.DockerClient, image_of: Callable[[str], str]
) -> None:
    with _process(image_of("go-distroless"), "time.sleep(600)") as (process, containers):
        process.kill()
        assert process.wait(30) == -signal.SIGKILL
        assert until(lambda: not sweep(client) and not _left(client, containers), 30)
