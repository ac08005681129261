"""Commands that are killed at any moment, and two at the same time: nothing of ours is left, and no answer is wrong."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker

from stageproof.live.run import OWNER_LABEL, Owner
from tests.engine.faults.conftest import CLAIMS, Lab, ended
from tests.engine.faults.relay import relayed

KILLS = 50
TIMES = re.compile(r'"seconds": [0-9.e-]+')
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
LONGEST = 2.0
"""Seconds after its first request within which a command is killed: a little longer than it takes undisturbed."""
STOPPED = 130
AT_ONCE = 4


@dataclass(frozen=True)
class Killed:
    """A command that was sent a signal, and what it left."""

    sent: signal.Signals
    after: float
    code: int
    out: str
    err: str
    left: list[str]


def kill_one(lab: Lab, client: docker.DockerClient, sent: signal.Signals, after: float) -> Killed:
    """Run a command, and send it a signal so long after its first request."""
    with relayed(lab.home.socket) as relay:
        process = lab.verify("--format", "json", host=relay.host)
        assert relay.called.wait(60), ended(process)
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(sent)
        code, out, err = ended(process)
    return Killed(sent, after, code, out, err, containers_of(client, process.pid))


def containers_of(client: docker.DockerClient, pid: int) -> list[str]:
    """Name the containers that a process has left."""
    listed = client.api.containers(all=True, filters={"label": OWNER_LABEL})
    owners = [(one["Names"][0], Owner.parse(one["Labels"][OWNER_LABEL])) for one in listed]
    return [name for name, owner in owners if owner and owner.pid == pid]


def findings(out: str) -> Any:
    """Read a report, without the times."""
    report = json.loads(out)
    for image in report["images"]:
        image.pop("seconds", None)
        for finding in image["findings"]:
            finding.pop("seconds")
    return report


def test_fifty_kills_at_random_moments_leave_nothing_after_the_next_start(lab: Lab) -> None:
    seed = 20261123
    dice = random.Random(seed)  # noqa: S311 -- moments that come again with the same seed
    plan = [(SIGNALS[number % 3], dice.uniform(0, LONGEST)) for number in range(KILLS)]
    with lab.client() as client:
        right = findings(ended(lab.verify("--format", "json"))[1])
        before = (networks(client), volumes(client))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            killed = list(pool.map(lambda one: kill_one(lab, client, *one), plan))
        for one in killed:
            assert "Traceback" not in one.err, one
            if one.out:  # it was killed when all was done: a report is whole and right, or there is none
                assert findings(one.out) == right, one
            elif one.sent != signal.SIGKILL:
                assert one.code == STOPPED, one
            assert one.sent == signal.SIGKILL or not one.left, one
        hit = [one for one in killed if one.code != 0]
        assert len(hit) > KILLS / 2, "the moments are within the run"
        assert ended(lab.verify())[0] == 0
        assert client.containers.list(all=True) == []
        assert (networks(client), volumes(client)) == before
    assert list((lab.folder / "tmp").iterdir()) == []
    assert list(lab.cache.rglob(".new-*")) == []


def networks(client: docker.DockerClient) -> set[str]:
    return {str(network.name) for network in client.networks.list()}


def volumes(client: docker.DockerClient) -> set[str]:
    return {str(volume.name) for volume in client.volumes.list()}


def test_two_runs_at_once_on_one_engine_give_the_same_right_answer(lab: Lab) -> None:
    one, other = lab.verify("--format", "json"), lab.verify("--format", "json")
    told = [ended(one), ended(other)]
    assert [code for code, _, _ in told] == [0, 0], told
    reports = [findings(out) for _, out, _ in told]
    assert reports[0] == reports[1]
    (image,) = reports[0]["images"]
    assert [finding["verdict"] for finding in image["findings"]] == ["pass"] * CLAIMS
    with lab.client() as client:
        assert client.containers.list(all=True) == []


def test_a_report_is_the_same_to_the_byte_without_its_times_from_a_cold_cache_and_a_warm_one(
    lab: Lab, tmp_path: Path
) -> None:
    words = ("--contract", "any-image", "--static", "--format", "json")
    reports = [ended(lab.verify(*words, PYTHONHASHSEED=str(seed), XDG_CACHE_HOME=str(tmp_path))) for seed in (1, 2)]
    assert list(tmp_path.rglob("layers/*"))
    assert {code for code, _, _ in reports} <= {0, 1}
    cold, warm = (TIMES.sub('"seconds": 0', out) for _, out, _ in reports)
    assert cold == warm
    assert len(findings(cold)["images"][0]["findings"]) > 20
