"""`stageproof verify` and `record` on images of a real engine, read and run."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

from stageproof import helper, inspection
from stageproof.errors import EngineError, HelperError
from stageproof.image import sources
from stageproof.live import Live, Options, Run
from stageproof.live.run import OWNER_LABEL, Owner
from tests.engine.verify.conftest import remove_image

if TYPE_CHECKING:
    from tests.engine.verify.conftest import Command, Told

STATIC = "non-root-user,entrypoint-resolves,no-shell,writable-paths"
LIVE = "[claims]\nports-match = {}\nlistens-everywhere = {}\nno-shell = { report = true }\n"


def verdicts(told: Told) -> Mapping[str, str]:
    (image,) = json.loads(told.out)["images"]
    return {finding["claim"]: finding["verdict"] for finding in image["findings"]}


def containers(client: docker.DockerClient) -> set[str]:
    """Give the containers that this process made."""
    found = client.api.containers(all=True, filters={"label": OWNER_LABEL})
    owners = {str(one["Id"]): Owner.parse(one["Labels"][OWNER_LABEL]) for one in found}
    return {container for container, owner in owners.items() if owner and owner.pid == os.getpid()}


def test_an_image_of_the_engine_and_its_archive_get_the_same_findings(
    command: Command, client: docker.DockerClient, service: str
) -> None:
    with Path("saved.tar").open("wb") as file:
        file.writelines(client.images.get(service).save())
    by_id = command("verify", service, "--claims", STATIC, "--format", "json")
    by_file = command("verify", "saved.tar", "--claims", STATIC, "--format", "json")
    assert verdicts(by_id) == verdicts(by_file)
    assert verdicts(by_id)["non-root-user"] == "pass"
    assert json.loads(by_id.out)["images"][0]["digest"] == json.loads(by_file.out)["images"][0]["digest"]


def test_a_user_reads_a_finding_mends_it_and_sees_it_pass(command: Command, service: str, rooted: str) -> None:
    told = command("verify", rooted, "--claims", "non-root-user")
    assert told.code == 1
    assert "do     USER 65532:65532 in the final stage" in told.out
    assert command("verify", service, "--claims", "non-root-user").code == 0


def test_an_image_that_the_engine_has_not_is_told_how_to_be_had(command: Command) -> None:
    told = command("verify", "nobody/has-this:1")
    assert (told.code, told.out) == (30, "")
    assert "docker pull nobody/has-this:1" in told.err


def test_a_name_that_no_image_can_have_is_an_error_and_no_traceback(command: Command) -> None:
    assert command("verify", "UPPER CASE:?").code == 30


def test_reading_starts_no_container(command: Command, client: docker.DockerClient, service: str) -> None:
    before = containers(client)
    since = int(time.time())
    assert command("verify", service, "--claims", f"{STATIC},ports-match").code in {0, 1}
    assert containers(client) <= before
    events = client.events(
        decode=True, filters={"type": "container", "image": service}, since=since, until=int(time.time())
    )
    assert list(events) == []


@pytest.mark.parametrize(("step", "code"), [("print('the same')", 0), ("import time; print(time.time_ns())", 1)])
def test_two_builds_of_the_same_sources_are_compared(
    command: Command, client: docker.DockerClient, helper_image: str, step: str, code: int
) -> None:
    text = (
        f'FROM {helper_image}\nUSER 0\nRUN ["sh", "-c", "python3 -c \\"{step}\\" > /stamp"]\nENTRYPOINT ["python3"]\n'
    )
    built = [client.images.build(fileobj=io.BytesIO(text.encode()), nocache=True, rm=True)[0] for _ in range(2)]
    first, second = (str(image.id) for image in built)
    try:
        Path("again.toml").write_text(f'[claims]\nreproducible = {{ second = "{second}" }}\n', encoding="utf-8")
        assert first != second
        told = command("verify", first, "--contract", "again.toml", "--verbose")
        assert told.code == code, told.out
        assert ("/stamp" in told.out) == bool(code)
    finally:
        remove_image(client, first)
        remove_image(client, second)


def test_a_run_decides_the_waiting_claims_and_leaves_nothing(
    command: Command, client: docker.DockerClient, service: str, helper_image: str
) -> None:
    assert helper_image
    Path("live.toml").write_text(LIVE, encoding="utf-8")
    before = containers(client)
    told = command("verify", service, "--contract", "live.toml", "--run", "--format", "json")
    assert told.code == 0
    assert verdicts(told)["ports-match"] == "pass"
    assert json.loads(told.out)["images"][0]["not_run"] == []
    assert containers(client) <= before


@pytest.mark.parametrize("options", [None, Options(network="bridge", memory=10**12, pids=10**6)])
def test_an_image_from_elsewhere_is_started_with_nothing_that_it_could_harm_with(
    client: docker.DockerClient, service: str, helper_image: str, run: Run, options: Options | None
) -> None:
    with (
        Live(client, service, run=run, helper_image=helper_image, hardened=True) as live,
        live.running(options) as running,
    ):
        inspected: dict[str, Any] = running.container.inspect()
        process = running.helper.process()
    host = inspected["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["Memory"] == host["MemorySwap"] == live.limits.memory
    assert host["PidsLimit"] == live.limits.pids
    assert (process.capabilities, process.no_new_privileges) == (0, True)


def test_a_recorded_contract_of_a_running_image_holds_for_it(command: Command, service: str, helper_image: str) -> None:
    assert helper_image
    Path("base.toml").write_text(LIVE + "size-budget = {}\ngraceful-stop = {}\nhealth-proof = {}\n", encoding="utf-8")
    told = command("record", service, "--contract", "base.toml", "--run", "--output", "kept.toml")
    assert told.code == 0
    text = Path("kept.toml").read_text(encoding="utf-8")
    assert 'graceful-stop = { seconds = 3, readiness = "", env = "" }' in text
    assert "#   health-proof: " in text
    assert command("verify", service, "--contract", "kept.toml", "--run").code == 0


def test_the_helper_image_is_known_by_its_files_and_not_by_its_name(
    client: docker.DockerClient, helper_image: str, run: Run
) -> None:
    assert helper.program_of(client, helper_image, run) == helper.program()
    assert set(helper.program()) >= {"Dockerfile", "agent/__main__.py"}
    text = f'FROM {helper_image}\nRUN ["python3", "-c", "import shutil; shutil.rmtree(\'/helper\')"]\n'
    removed, _ = client.images.build(fileobj=io.BytesIO(text.encode()), rm=True)
    try:
        assert helper.program_of(client, str(removed.id), run) == {}
    finally:
        remove_image(client, str(removed.id))


def test_no_helper_and_no_way_to_build_one_is_an_error_that_says_so(
    client: docker.DockerClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> Any:
        message = "no buildx here"
        raise EngineError(message, do="install it")

    monkeypatch.setattr(helper, "program", lambda _: {"agent.py": "0" * 64})
    with pytest.raises(HelperError) as error:
        helper.ensure(client, none, run)
    assert "no buildx here" in error.value.seen


def test_an_image_that_has_not_changed_is_neither_read_nor_decided_again(
    command: Command, service: str, rooted: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(inspection, "cache_folder", lambda: tmp_path / "layers")
    before = command("verify", service, rooted, "--claims", STATIC, "--format", "json")

    def read(*_: object, **__: object) -> None:
        message = "it was read again"
        raise AssertionError(message)

    monkeypatch.setattr(sources, "read", read)
    assert command("verify", service, rooted, "--claims", STATIC, "--format", "json") == before
    with pytest.raises(AssertionError, match="read again"):
        command("verify", service, "--claims", "non-root-user")
