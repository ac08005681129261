"""One bake call for many targets, with real builds from nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from stageproof.catalog import Catalog
from stageproof.engine import bake, bases, build, record, registry
from stageproof.engine.client import Engine
from stageproof.engine.progress import Step
from stageproof.errors import BaseError, NothingBuiltError
from stageproof.live.wait import until

FILES = {
    "good.Dockerfile": "FROM scratch\nCOPY here /here\n",
    "other.Dockerfile": "FROM scratch\nCOPY here /other\n",
    "bad.Dockerfile": "FROM scratch AS final\nCOPY not-there /x\n",
    "lost.Dockerfile": 'FROM scratch AS final\nCOPY ["connection reset", "/x"]\n',
    "here": "here",
}
TARGETS = ("good", "bad", "lost", "other")


@pytest.fixture
def call(engine: Engine, client: docker.DockerClient, tmp_path: Path) -> Iterator[build.Call]:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    targets = {
        name: {"context": ".", "dockerfile": f"{name}.Dockerfile", "tags": [f"stageproof/test-{name}"]}
        for name in TARGETS
    }
    (tmp_path / bake.FILE).write_text(json.dumps({"target": targets}))
    yield build.Call(engine, tmp_path, tmp_path / record.FOLDER, {})
    for name in TARGETS:
        if client.images.list(f"stageproof/test-{name}"):
            client.images.remove(f"stageproof/test-{name}", force=True)


def test_a_target_that_fails_shows_its_step_and_the_others_still_finish(call: build.Call) -> None:
    outcome = build.build(call, {}, [("good", "bad", "other")], lambda _: None)
    assert set(outcome.built) == {"good", "other"}
    failed = outcome.failed["bad"]
    assert failed.step == "[1/1] COPY not-there /x"
    assert '"/not-there": not found' in failed.seen
    assert "not-there" in failed.log.read_text()
    error = build.failure_text(failed)
    assert (error.failed, error.exit_code) == ("bad did not build", 1)


def test_a_step_that_lost_its_connection_is_tried_once_more_and_no_more(call: build.Call) -> None:
    tries: list[Step] = []
    outcome = build.build(call, {}, [["lost", "good"]], tries.append)
    assert "connection reset" in outcome.failed["lost"].seen
    assert len({id(step) for step in tries if step.state == "error"}) == 2
    assert set(outcome.built) == {"good"}


def test_the_digest_is_that_of_the_image_in_the_engine(call: build.Call, client: docker.DockerClient) -> None:
    outcome = build.build(call, {}, [["good"]], lambda _: None)
    assert client.images.get("stageproof/test-good").id == outcome.built["good"].digest


def test_what_was_built_before_is_told_as_cached(call: build.Call) -> None:
    build.build(call, {}, [["good"]], lambda _: None)
    assert build.build(call, {}, [["good"]], lambda _: None).built["good"].cached


def test_waves_build_everything_one_after_the_other(call: build.Call) -> None:
    assert set(build.build(call, {}, [["good"], ["other"]], lambda _: None).built) == {"good", "other"}


INTERRUPTED = """
import sys
from pathlib import Path
from stageproof.engine import build, find
from stageproof.tasks.job import job
root = Path(sys.argv[1])
call = build.Call(find.ensure(lambda _: None), root, root / ".stageproof", {})
job(build.build)(call, {}, [["slow"]], lambda _: None)
"""


def sleepers(seconds: str) -> list[int]:
    """Find the processes on this host that sleep so long."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if seconds in path.read_text().split("\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_build_leaves_no_step_behind(engine: Engine, tmp_path: Path, name: str) -> None:
    if engine.kind != "private":
        pytest.skip("the processes of this engine cannot be seen from here")
    seconds = f"{4000 + os.getpid() % 1000}.{signal.Signals[name].value}"
    # Of this project's own images: it has a shell, and is in the engine already.
    (tmp_path / "slow.Dockerfile").write_text(f"FROM stageproof/go:plain\nUSER 0\nRUN sleep {seconds}\n")
    (tmp_path / bake.FILE).write_text(json.dumps({"target": {"slow": {"dockerfile": "slow.Dockerfile"}}}))
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert until(lambda: sleepers(seconds) or None, 60), "the step never ran"
        process.send_signal(signal.Signals[name])
        process.communicate(timeout=30)
    assert process.returncode == 1, "invoke's Exit 130, as a plain program shows it"
    assert until(lambda: not sleepers(seconds), 15)


def test_asking_for_real_bases_where_no_registry_answers_is_an_error(
    engine: Engine, project: Catalog, tmp_path: Path
) -> None:
    nowhere = ["debian:trixie-slim"]
    if registry.reachable(nowhere, engine):
        pytest.skip("a registry answers here")
    with pytest.raises(BaseError) as error:
        bases.choose("registry", nowhere, project, engine, ca_bundle=None, cache=tmp_path, progress=print)
    assert "docker.io does not answer" in error.value.failed
    assert error.value.do == "use --bases stand-in"


def test_a_record_of_another_engine_counts_as_nothing_built(tmp_path: Path) -> None:
    built = record.Build("sha256:1", 1.0, cached=False, labels={}, bases={}, stand_ins=(), unit_tests=True)
    record.write(tmp_path, record.Record(engine="one", images={"go-plain": built}))
    kept = record.read(tmp_path)
    assert record.require(kept, "go-plain", "one") == built
    for recipe, engine in (("go-plain", "another"), ("go-debug", "one")):
        with pytest.raises(NothingBuiltError):
            record.require(kept, recipe, engine)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["build-all", "--stack", "pyton"], "did you mean python?"),
        (["build-all", "--variant", "distrolss"], "did you mean distroless?"),
        (["build-all", "--bases", "standin"], "did you mean stand-in?"),
        (["build-all", "--varient", "plain"], "did you mean --variant?"),
        (["biuld-all"], "did you mean build-all?"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest_and_code_2(root: Path, arguments: list[str], says: str) -> None:
    invoke = [str(Path(sys.executable).parent / "invoke"), *arguments]
    done = subprocess.run(invoke, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "known: " in done.stderr
