"""An engine that maps users: root in its containers is somebody else outside."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import cast

import docker
import pytest

from stageproof import helper, verify
from stageproof.checks.subject import Subject
from stageproof.engine import private, supervisor
from stageproof.image import Image
from stageproof.live import Live, Run, remove_run
from stageproof.model import Claim, Limits, Verdict
from tests.engine.faults.conftest import DOCKERFILE, SERVICE, Lab

LIMITS = Limits(memory=64_000_000, pids=16, start_seconds=10)
USER, FIRST, COUNT = "daemon", 231072, 65536
"""Somebody of Debian's, and the users outside that an engine is usually given for the ones inside."""
CLAIMS = (
    Claim("serves-remapped"),
    # Its service has no page to show.
    Claim("serves-restricted", {"path": "/", "status": 404}),
    Claim("arbitrary-uid"),
    Claim("arbitrary-gid"),
    Claim("no-new-namespaces"),
)


@pytest.fixture(scope="module")
def remapped(laboratory: Lab) -> Iterator[docker.DockerClient]:
    """Start the engine so, and give it the images once more: it keeps those of each mapping apart."""
    lab = laboratory
    with lab.client() as client:
        saved = b"".join(client.images.get(helper.NAME).save(named=True))
    settings = supervisor.daemon_settings
    private.stop(lab.home)
    for name in ("subuid", "subgid"):
        file = lab.home.root / "etc" / name
        file.unlink(missing_ok=True)  # a hard link to that of another engine
        file.write_text(f"{USER}:{FIRST}:{COUNT}\n", encoding="ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervisor, "daemon_settings", lambda *given: settings(*given) | {"userns-remap": USER})
        lab.start()
    with lab.client() as client:
        client.images.load(saved)
        build = DOCKERFILE.format(helper=helper.NAME)
        client.images.build(fileobj=io.BytesIO(build.encode()), tag=SERVICE, rm=True)
        yield client
    private.stop(lab.home)


def test_an_image_serves_where_root_is_somebody_else_outside(remapped: docker.DockerClient) -> None:
    run = Run.new()
    with Live(remapped, SERVICE, run=run, helper_image=helper.NAME, limits=LIMITS) as live:
        subject = Subject(cast("Image", None), live=live)
        findings = [verify.decide(claim, subject) for claim in CLAIMS]
    assert remove_run(remapped, run.id) == []
    assert [
        (one.claim, one.verdict, one.message, one.evidence) for one in findings if one.verdict is not Verdict.PASS
    ] == []
    seen = "\n".join(one.text for one in findings[0].evidence)
    assert "the engine says userns-remap" in seen
    assert f"root is user {FIRST} outside" in seen


def test_an_image_whose_user_is_not_mapped_does_not_start_there(remapped: docker.DockerClient) -> None:
    build = io.BytesIO(f"FROM {SERVICE}\nUSER {COUNT}\n".encode())
    image, _ = remapped.images.build(fileobj=build, rm=True)
    with Live(remapped, str(image.id), run=Run.new(), helper_image=helper.NAME, limits=LIMITS) as live:
        finding = verify.decide(Claim("serves-remapped"), Subject(cast("Image", None), live=live))
    assert (finding.verdict, finding.message) == (Verdict.FAIL, "is started as a user that is not mapped")
    assert f"unmapped uid {COUNT}" in finding.evidence[0].text
