"""A clock years ahead: what a service makes of it, and when nobody can know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docker
import pytest

from stageproof import faketime, helper, image, verify
from stageproof.checks.subject import Subject
from stageproof.engine import find
from stageproof.engine.images import Images
from stageproof.errors import EngineError, HelperError
from stageproof.image import Image
from stageproof.live import Live, Run
from stageproof.live.run import RUN_LABEL
from stageproof.model import Claim, Finding, Verdict

Broken = Callable[..., str]
Session = Callable[[str], Live]
Ask = Callable[..., Finding]

SECONDS = 3
NEEDED, NEWER = b"GLIBC_2.38", b"GLIBC_9.38"
EXPIRES = f"ENV EXPIRES={(datetime.now(UTC) + timedelta(days=365)).isoformat(timespec='minutes')}"


@pytest.fixture(scope="session")
def faketime_image(client: docker.DockerClient, helper_image: str, run: Run) -> str:
    """Give the image of libfaketime."""
    assert helper_image
    try:
        return helper.ensure(client, find.ensure, run, faketime.OWN)
    except HelperError as error:
        return pytest.skip(f"no libfaketime: {error}")


@pytest.fixture(scope="session")
def index(client: docker.DockerClient, service_image: str, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Read the whole service's image; what is broken in another has no say in how its program is loaded."""
    images = Images(client)
    cache = tmp_path_factory.mktemp("layers")
    return image.load([service_image], describe=images.describe, save=images.save, cache=cache)[service_image]


@pytest.fixture
def ask(index: Image) -> Ask:
    """Decide the claim about what a session starts."""

    def asked(live: Live, **parameters: object) -> Finding:
        claim = Claim("wrong-clock", {"seconds": SECONDS, **parameters})
        return verify.decide(claim, Subject(index, live=live))

    return asked


def evidence(finding: Finding) -> str:
    return "\n".join(one.text for one in finding.evidence)


@pytest.mark.usefixtures("faketime_image")
def test_a_service_that_goes_by_the_monotonic_clock_serves_and_stops(
    good: Live, ask: Ask, client: docker.DockerClient, run: Run
) -> None:
    finding = ask(good)
    assert finding.verdict is Verdict.PASS, (finding.message, evidence(finding))
    now = datetime.now(UTC)
    assert f"control: at {now:%Y-%m-%d} it wrote" in evidence(finding)
    assert f'"time": "{(now + timedelta(days=3650)).year}-' in evidence(finding)
    assert client.volumes.list(filters={"label": f"{RUN_LABEL}={run.id}"}) == []


@pytest.mark.usefixtures("faketime_image")
@pytest.mark.parametrize(
    ("how", "said"), [("expires", "this was good until"), ("stops-by-date", f"still ran {SECONDS} s after SIGTERM")]
)
def test_a_service_that_goes_by_a_date_does_not(
    how: str, said: str, broken: Broken, session: Session, ask: Ask
) -> None:
    finding = ask(session(broken(how, EXPIRES)))
    assert finding.verdict is Verdict.FAIL, (finding.message, evidence(finding))
    assert said in finding.message + evidence(finding)
    assert "with libfaketime and the right clock it answered" in evidence(finding)


@pytest.mark.usefixtures("faketime_image")
def test_what_is_broken_with_the_right_clock_too_says_nothing_of_the_clock(
    broken: Broken, session: Session, ask: Ask
) -> None:
    finding = ask(session(broken("slow-stop")), seconds=0.2)
    assert finding.verdict is Verdict.UNKNOWN
    for clock in ("a clock 10 years ahead", "the right clock"):
        assert f"with {clock}: still ran 0.2 s" in evidence(finding)


@pytest.mark.usefixtures("faketime_image")
def test_a_service_that_tells_no_time_does_not_show_that_it_saw_the_clock(
    broken: Broken, session: Session, ask: Ask
) -> None:
    finding = ask(session(broken("silent")))
    assert finding.verdict is Verdict.UNKNOWN
    assert "neither its log nor its answers hold a time" in evidence(finding)


@pytest.mark.usefixtures("faketime_image")
def test_a_clock_that_was_not_moved_proves_nothing(good: Live, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faketime, "shifted", lambda *_: {})
    finding = ask(good)
    assert finding.verdict is Verdict.UNKNOWN
    assert f"at {datetime.now(UTC):%Y-%m-%d} it wrote" in evidence(finding)


@pytest.mark.usefixtures("faketime_image")
def test_a_library_that_the_loader_refuses_proves_nothing(
    good: Live, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faketime, "LIBRARY", f"{faketime.PLACE}/absent.so")
    finding = ask(good)
    assert finding.verdict is Verdict.UNKNOWN
    assert "cannot be loaded" in finding.message
    assert "cannot be preloaded" in evidence(finding)


def test_a_library_that_needs_a_newer_glibc_proves_nothing(
    faketime_image: str, broken: Broken, session: Session, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = "/opt/libfaketime.so.1"
    source = (
        f"from pathlib import Path; p = Path('{library}'); p.write_bytes(p.read_bytes().replace({NEEDED!r}, {NEWER!r}))"
    )
    copied = f"COPY --from={faketime_image} {faketime.LIBRARY} {library}"
    image = broken("", "USER 0:0", copied, f'RUN ["python3", "-c", "{source}"]', "USER 65532:65532")
    monkeypatch.setattr(faketime, "LIBRARY", library)
    finding = ask(session(image))
    assert finding.verdict is Verdict.UNKNOWN, (finding.message, evidence(finding))
    assert f"version `GLIBC_9.38' not found (required by {library})" in evidence(finding)


@pytest.mark.usefixtures("faketime_image")
@pytest.mark.parametrize("absent", ["helper", "target"])
def test_without_the_helper_or_the_image_itself_nobody_can_know(absent: str, good: Live, ask: Ask) -> None:
    images = {"helper": good.helper_image, "target": good.image, absent: "stageproof.invalid/absent"}
    with Live(good.client, images["target"], run=good.run, helper_image=images["helper"]) as live:
        finding = ask(live)
    assert finding.verdict is Verdict.UNKNOWN
    assert "no image stageproof.invalid/absent" in finding.message


def test_where_the_library_cannot_be_had_nobody_can_know(good: Live, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Any:
        message = "no buildx here"
        raise EngineError(message, do="install it")

    monkeypatch.setattr(faketime, "OWN", replace(faketime.OWN, name="stageproof.invalid/faketime"))
    monkeypatch.setattr(find, "ensure", none)
    finding = ask(good)
    assert finding.verdict is Verdict.UNKNOWN
    assert "the engine has no faketime image of this version" in finding.message
    assert "no buildx here" in evidence(finding)


def test_a_base_that_nothing_gives_ends_the_build_with_its_reason(
    client: docker.DockerClient, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM stageproof.invalid/base:1\n", encoding="utf-8")
    own = replace(faketime.OWN, name="stageproof.invalid/faketime", folder=tmp_path)
    with pytest.raises(HelperError) as error:
        helper.ensure(client, find.ensure, run, own)
    assert "stageproof.invalid/base:1" in error.value.seen
    assert error.value.do
