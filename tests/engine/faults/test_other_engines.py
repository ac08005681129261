"""Engines that are elsewhere, lack something, or whose ports and names others use too."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import docker
import pytest

from stageproof import subjects
from stageproof.catalog import Catalog
from stageproof.engine import bake, build, private, record, supervisor
from stageproof.errors import ImageError
from stageproof.live.served import served
from stageproof.model import Limits
from stageproof.workbench import Workbench
from tests.engine.faults.conftest import CLAIMS, SERVICE, Lab, ended
from tests.engine.faults.relay import relayed
from tests.engine.faults.test_kills import findings

LIMITS = Limits(memory=64_000_000, pids=16, start_seconds=10)
NEXT_PORTS = 4
"""So many ports after the last one are taken, before the engine gives out another."""


def is_decided(told: tuple[int, str, str]) -> bool:
    code, out, err = told
    assert (code, err) == (0, ""), out + err
    (image,) = findings(out)["images"]
    return [finding["verdict"] for finding in image["findings"]] == ["pass"] * CLAIMS


def test_an_engine_over_the_network_needs_no_folder_and_no_port_of_this_machine(lab: Lab) -> None:
    with relayed(lab.home.socket) as relay:
        assert is_decided(ended(lab.verify("--format", "json", host=relay.host)))
        asked = b"".join(relay.asked)
    assert asked.count(b"/containers/create") > 1
    assert not re.search(rb'"(Binds|Mounts|PortBindings)": [\[{]["{]', asked)


@pytest.fixture
def without_a_bridge(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start the engine without a network for containers; afterwards it has one again."""
    settings = supervisor.daemon_settings

    def lacking(*given: object) -> dict[str, object]:
        return settings(*given) | {"bridge": "none"}  # type: ignore[arg-type]

    private.stop(lab.home)
    monkeypatch.setattr(supervisor, "daemon_settings", lacking)
    lab.start()
    monkeypatch.undo()
    yield
    private.stop(lab.home)


@pytest.mark.usefixtures("without_a_bridge")
def test_neither_a_bridge_nor_a_program_of_this_machine_is_needed(lab: Lab, tmp_path: Path) -> None:
    with lab.client() as client:
        assert "bridge" not in {network.name for network in client.networks.list()}
    assert shutil.which("ps", path=str(tmp_path)) is None
    assert is_decided(ended(lab.verify("--format", "json", PATH=str(tmp_path))))


def test_ports_that_are_taken_are_passed_over_and_two_that_are_shown_at_once_differ(lab: Lab) -> None:
    with lab.client() as client, ExitStack() as undo:
        with served(client, SERVICE, 8080, LIMITS) as first:
            last = port_of(first.address)
        for number in range(last, last + NEXT_PORTS):
            undo.enter_context(socket.create_server(("127.0.0.1", number)))
        shown = [undo.enter_context(served(client, SERVICE, 8080, LIMITS)) for _ in range(2)]
        ports = {port_of(one.address) for one in shown}
        assert len(ports) == 2
        assert not ports & set(range(last, last + NEXT_PORTS))
        assert [status(one.address) for one in shown] == [404, 404], "busybox has no page to show"


def port_of(address: str) -> int:
    return int(address.rstrip("/").rpartition(":")[2])


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 -- our own container on the loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_what_was_built_is_proved_and_not_what_its_name_came_to_mean(
    lab: Lab, project: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (recipe,) = project.select("go", "distroless")
    name = bake.image_name(recipe)
    engine = private.start(home=lab.home)
    with lab.client() as client:
        digest = built(build.Call(engine, tmp_path, tmp_path / record.FOLDER, {}), recipe.name, name)
        bench = Workbench(dataclasses.replace(project, root=tmp_path), engine, client)
        labels = {"APP_VERSION": "1", "APP_COMMIT": "1", "APP_BUILT": "1"}
        one = record.Build(digest, 1.0, cached=False, labels=labels, bases={}, stand_ins=(), unit_tests=True)
        record.write(tmp_path, record.Record(engine=bench.engine_id, images={recipe.name: one}))
        client.images.get(SERVICE).tag(name)
        assert client.images.get(name).id != digest
        assert subjects.subject(bench, recipe, None).image.id == digest
        remove(client, digest, name)
        shutil.rmtree(tmp_path / "cache")
        with pytest.raises(ImageError, match="the engine has no image"):
            subjects.subject(bench, recipe, None)


def built(call: build.Call, target: str, name: str) -> str:
    """Build a small image under a recipe's name, and give its digest."""
    (call.root / "one.Dockerfile").write_text(f"FROM {SERVICE}\nLABEL one=1\n")
    (call.root / bake.FILE).write_text(
        json.dumps({"target": {target: {"dockerfile": "one.Dockerfile", "tags": [name]}}})
    )
    return build.build(call, {}, [[target]], lambda _: None).built[target].digest


def remove(client: docker.DockerClient, digest: str, name: str) -> None:
    """Take away the image that was built, and the name that another one has now."""
    client.images.remove(name)
    client.images.remove(digest)
