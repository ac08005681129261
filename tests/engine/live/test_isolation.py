"""Claims that the engine keeps for an image: where they hold, where they do not, and where nobody can know."""

from __future__ import annotations

from collections.abc import Callable

import docker
import pytest

from stageproof.checks.live import no_new_namespaces
from stageproof.live import Container, Helper, Live, Options, Run
from stageproof.live.run import RUN_LABEL
from stageproof.model import Finding, Verdict

Broken = Callable[..., str]
Session = Callable[[str], Live]
Decide = Callable[..., Finding]


def evidence(finding: Finding) -> str:
    return "\n".join(one.text for one in finding.evidence)


def test_an_engine_that_filters_system_calls_allows_no_namespace_and_no_mount(good: Live, decide: Decide) -> None:
    finding = decide("no-new-namespaces", good)
    assert finding.verdict is Verdict.PASS, (finding.message, evidence(finding))
    assert "uid 65532" in evidence(finding)
    assert "the same tools did both" in evidence(finding)


@pytest.mark.parametrize(
    ("granted", "able"),
    [
        ({}, "a user namespace was made"),
        ({"user": "0:0", "cap_add": ["SYS_ADMIN"]}, "a file system was mounted"),
    ],
)
def test_an_engine_that_filters_nothing_allows_them(
    granted: dict[str, object], able: str, good: Live, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = Options.arguments
    free = {"security_opt": ["seccomp=unconfined"], **granted}
    monkeypatch.setattr(Options, "arguments", lambda self: arguments(self) | free)
    finding = decide("no-new-namespaces", good)
    assert finding.verdict is Verdict.FAIL, evidence(finding)
    assert able in evidence(finding)
    assert finding.do


def test_tools_that_can_do_nothing_anywhere_prove_nothing(
    good: Live, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(no_new_namespaces, "SCRIPT", no_new_namespaces.SCRIPT.replace("-U", "--absent"))
    finding = decide("no-new-namespaces", good)
    assert finding.verdict is Verdict.UNKNOWN, evidence(finding)
    assert "could not do it either" in finding.message


def test_tools_that_do_not_run_prove_nothing(good: Live, decide: Decide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(no_new_namespaces, "SCRIPT", "exit 1")
    finding = decide("no-new-namespaces", good)
    assert finding.verdict is Verdict.UNKNOWN
    assert "did not run in it" in finding.message


def test_the_tools_are_gone_with_their_volume(
    good: Live, decide: Decide, client: docker.DockerClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = {"label": f"{RUN_LABEL}={run.id}"}
    seen: list[object] = []
    start = good.start

    def started(options: Options | None = None) -> Container:
        seen.extend(client.volumes.list(filters=mine))
        return start(options)

    monkeypatch.setattr(good, "start", started)
    assert decide("no-new-namespaces", good).verdict is Verdict.PASS
    assert len(seen) == 1
    assert client.volumes.list(filters=mine) == []


def test_an_engine_that_maps_no_users_is_no_proof_of_anything(good: Live, decide: Decide) -> None:
    finding = decide("serves-remapped", good)
    if any("userns" in one or "rootless" in one for one in good.client.info()["SecurityOptions"]):
        pytest.skip("this engine maps users")
    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert "neither userns-remap nor rootless" in finding.message


@pytest.fixture
def says_rootless(client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine say what a rootless one says."""
    told = {"SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"]}
    monkeypatch.setattr(client, "info", lambda: told)


@pytest.mark.usefixtures("says_rootless")
def test_an_engine_whose_root_is_root_outside_maps_nobody(
    good: Live, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, mapped = Helper.read, "         0          0 4294967295\n"
    monkeypatch.setattr(Helper, "read", lambda self, path: mapped if "uid_map" in path else read(self, path))
    finding = decide("serves-remapped", good)
    assert finding.verdict is Verdict.UNKNOWN
    assert "the engine says rootless" in evidence(finding)


@pytest.mark.usefixtures("says_rootless")
def test_an_image_that_does_not_start_serves_nobody_there(broken: Broken, session: Session, decide: Decide) -> None:
    finding = decide("serves-remapped", session(broken("crash")))
    assert finding.verdict is Verdict.FAIL
    assert "this is what it says" in evidence(finding)
