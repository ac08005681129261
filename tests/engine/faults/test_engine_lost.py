"""An engine that ends or hangs in the middle: told as that, with an exit code of its own, and never as an answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stageproof.engine import bake, processes
from stageproof.errors import EngineDiedError
from stageproof.live.wait import until
from tests.engine.faults.conftest import COMMAND, SERVICE, Lab, ended
from tests.engine.faults.relay import relayed

IMPATIENT = f"""
from stageproof.engine import client, images, pulse
client.TIMEOUT_SECONDS = images.SAVE_SECONDS = client.ASK_SECONDS = 2
pulse.PAUSE_SECONDS = 0.5
{COMMAND}
"""
BUILD = """
import sys
from pathlib import Path
from stageproof.engine import build, client, find, pulse
from stageproof.tasks.job import job
client.ASK_SECONDS, pulse.PAUSE_SECONDS, pulse.END_SECONDS = 2, 0.5, 1
root = Path.cwd()
call = build.Call(find.ensure(lambda _: None), root, root / ".stageproof", {})
def told():
    outcome = build.build(call, {}, [sys.argv[1:]], lambda _: None)
    print("built", list(outcome.built), "failed", list(outcome.failed))
from invoke.exceptions import Exit
try:
    job(told)()
except Exit as end:
    sys.exit(end.code)
"""
LONG = "4077"
"""Seconds that a step sleeps; no other process sleeps so long."""
MOMENTS = {
    "the save": b"/images/get?",
    "the first container": b"/containers/create",
    "the first look": b"/attach?",
    "the removal": b"DELETE /",
}


def is_the_engines_end(code: int, out: str, err: str) -> bool:
    assert code == EngineDiedError.exit_code, out + err
    assert "Traceback" not in err
    assert out == "", "nothing is reported"
    return "stopped answering" in err and "exit 16" in err


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_of_the_engine_at_any_moment_is_told_as_its_end(lab: Lab, tmp_path: Path, moment: str) -> None:
    own = {"XDG_CACHE_HOME": str(tmp_path)} if moment == "the save" else {}
    with relayed(lab.home.socket, MOMENTS[moment], lab.kill) as relay:
        told = ended(lab.verify("--format", "json", host=relay.host, **own))
        assert relay.acted.is_set()
    assert is_the_engines_end(*told)


def test_after_the_engine_has_come_back_nothing_is_left_and_the_answer_is_right(lab: Lab) -> None:
    with relayed(lab.home.socket, MOMENTS["the first look"], lab.kill) as relay:
        assert ended(lab.verify(host=relay.host))[0] == EngineDiedError.exit_code
    with lab.client() as client:
        assert client.containers.list(all=True), "the kill left a container"
        assert ended(lab.verify())[0] == 0
        assert client.containers.list(all=True) == []


def test_a_recorded_contract_never_lacks_claims_because_the_engine_was_gone(lab: Lab) -> None:
    command = [sys.executable, "-c", COMMAND, "record", SERVICE, "--run", "--output", "made.toml"]
    with relayed(lab.home.socket, MOMENTS["the first look"], lab.kill) as relay:
        environment = lab.environment(relay.host)
        process = subprocess.Popen(
            command, cwd=lab.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert is_the_engines_end(*ended(process))
    assert not (lab.folder / "made.toml").exists()


def test_an_engine_that_hangs_is_told_as_one_that_does_not_answer(lab: Lab) -> None:
    daemon = processes.daemon(lab.home)
    assert daemon is not None
    try:
        with relayed(lab.home.socket, MOMENTS["the first container"], lambda: os.kill(daemon, signal.SIGSTOP)) as relay:
            told = ended(lab.verify("--format", "json", host=relay.host, code=IMPATIENT))
    finally:
        os.kill(daemon, signal.SIGCONT)
    assert is_the_engines_end(*told)
    assert "timed out" in told[2]


def begun(lab: Lab, folder: Path, *targets: str) -> subprocess.Popen[str]:
    """Begin a build whose steps go on for ever, and wait until the first of them runs."""
    for name in targets:
        (folder / f"{name}.Dockerfile").write_text(f'FROM {SERVICE}\nRUN ["/busybox", "sleep", "{LONG}"]\n')
    description = {"target": {name: {"dockerfile": f"{name}.Dockerfile"} for name in targets}}
    (folder / bake.FILE).write_text(json.dumps(description))
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, *targets],
        cwd=folder,
        env=lab.environment(PYTHONPATH=str(Path(__file__).parents[3])),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if not until(lambda: sleeps(lab) or process.poll() is not None, 60) or process.poll() is not None:
        pytest.fail(f"the step never ran: {ended(process)}")
    return process


def sleeps(lab: Lab) -> bool:
    """Tell whether a step of a build runs in the engine."""
    for pid in processes.left(lab.home):
        try:
            if LONG in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
                return True
        except OSError:
            continue  # it ended in between
    return False


@pytest.mark.parametrize("targets", [("one",), ("one", "two")], ids=["one target", "two targets"])
def test_a_kill_of_the_engine_during_a_build_is_no_fault_of_the_dockerfile(
    lab: Lab, tmp_path: Path, targets: tuple[str, ...]
) -> None:
    process = begun(lab, tmp_path, *targets)
    lab.kill()
    assert is_the_engines_end(*ended(process))


def test_a_build_ends_when_the_engine_hangs(lab: Lab, tmp_path: Path) -> None:
    process = begun(lab, tmp_path, "one")
    daemon = processes.daemon(lab.home)
    assert daemon is not None
    os.kill(daemon, signal.SIGSTOP)
    try:
        told = ended(process)
    finally:
        os.kill(daemon, signal.SIGCONT)
    assert is_the_engines_end(*told)
