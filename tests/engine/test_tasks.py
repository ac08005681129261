"""Tasks as their users see them: an address that answers, and an end at Ctrl-C that leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from stageproof.live.run import OWNER_LABEL, RUN_LABEL, Owner
from stageproof.live.wait import until

ADDRESS = re.compile(rb"go-distroless answers at (http://127\.0\.0\.1:\d+/)")


@contextmanager
def started(root: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a task in a process group of its own, as a terminal does."""
    command = [sys.executable, "-m", "invoke", *words]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def published(client: docker.DockerClient) -> set[str]:
    """Name the containers that have a port on the loopback: only `run` starts such."""
    listed = client.api.containers(all=True, filters={"label": RUN_LABEL})
    return {one["Id"] for one in listed if any("PublicPort" in port for port in one["Ports"])}


def runs_of(client: docker.DockerClient, session: int | None = None) -> set[str]:
    """Name the runs that have containers; of one session of processes, or all."""
    labels = [one["Labels"] for one in client.api.containers(all=True, filters={"label": OWNER_LABEL})]
    return {each[RUN_LABEL] for each in labels if session is None or session_of(each[OWNER_LABEL]) == session}


def session_of(owner: str) -> int | None:
    """Tell which session the process of an owner's label belongs to."""
    parsed = Owner.parse(owner)
    try:
        return os.getsid(parsed.pid) if parsed else None
    except ProcessLookupError:
        return None


def status(address: str) -> int | None:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 -- our own container on the loopback
            return int(answer.status)
    except OSError:
        return None


def test_it_prints_an_address_that_answers_and_ctrl_c_removes_the_container(
    root: Path, client: docker.DockerClient
) -> None:
    before = published(client)
    with started(root, "run", "go", "distroless") as process:
        assert process.stdout
        found = next(match for line in process.stdout if (match := ADDRESS.match(line)))
        assert until(lambda: status(found[1].decode()), 10) == 200
        ours = published(client) - before
        assert len(ours) == 1
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 130
    assert until(lambda: not ours & published(client), 5)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_proof_that_is_stopped_leaves_no_container_behind(root: Path, client: docker.DockerClient, name: str) -> None:
    with started(root, "test-all", "--stack", "go", "--variant", "distroless", "--claim", "graceful-stop") as process:
        ours = until(lambda: runs_of(client, process.pid) or None, 120)
        assert ours, process.communicate(timeout=10)[0].decode()
        if name == "SIGINT":
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 130
    assert not ours & runs_of(client)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "go", "distrolss"], "did you mean distroless?"),
        (["rebuild", "--variant", "distrolss"], "did you mean distroless?"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(root: Path, words: list[str], says: str) -> None:
    with started(root, *words) as process:
        seen = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 2
    assert says in seen
