"""Every live check: where it passes, where it fails, and where it cannot know."""

from __future__ import annotations

from collections.abc import Callable

import docker
import docker.errors
import pytest

from stageproof.live import Live, Options, Run
from stageproof.live.session import Kind
from stageproof.model import Finding, Limits, Verdict

CLAIMS = (
    "answers-http",
    "graceful-stop",
    "health-proof",
    "in-flight-requests",
    "labels-match-version",
    "listens-everywhere",
    "ports-match",
    "serves-restricted",
)
Broken = Callable[..., str]
Session = Callable[[str], Live]
Decide = Callable[..., Finding]


def evidence(finding: Finding) -> str:
    return "\n".join(one.text for one in finding.evidence)


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_good_service_keeps(claim: str, good: Live, decide: Decide) -> None:
    finding = decide(claim, good)
    assert finding.verdict is Verdict.PASS, (finding.message, evidence(finding))
    assert finding.evidence


@pytest.mark.parametrize(
    ("claim", "how", "message", "seen"),
    [
        ("answers-http", "server-error", "does not answer HTTP", "GET / on port 8080: status 500"),
        ("answers-http", "crash", "ended with exit code 1 before", "this is what it says"),
        ("ports-match", "port", "does not listen on exactly", "exposed, but nothing listens: 8080/tcp"),
        ("ports-match", "port", "does not listen on exactly", "listens, but is not exposed: 9090/tcp"),
        ("ports-match", "extra-port", "does not listen on exactly", "listens, but is not exposed: 9091/tcp"),
        ("ports-match", "crash", "ended with exit code 1", "this is what it says"),
        ("listens-everywhere", "loopback", "does not listen on all interfaces", "listens: 127.0.0.1:8080/tcp"),
        ("labels-match-version", "version", "says another version", "version = '9.9.9'"),
        ("health-proof", "always-healthy", "stayed healthy although it was told to fail", "ended with 0"),
        ("health-proof", "never-healthy", "never turned healthy within 8 s", "the last probe ended with 1"),
        ("health-proof", "crash", "ended with exit code 1 before it was healthy", "this is what it says"),
        ("graceful-stop", "ignores-sigterm", "still ran 3 s after SIGTERM", "two idle connections open"),
        ("graceful-stop", "slow-stop", "still ran 3 s after SIGTERM", "503"),
        ("graceful-stop", "waits-for-idle", "still ran 3 s after SIGTERM", "two idle connections open"),
        ("graceful-stop", "exit-code", "ended with exit code 3 instead of 0", "exit code 3"),
        ("graceful-stop", "stays-ready", "GET /readyz was never 503", "exit code 0"),
        ("in-flight-requests", "drops-requests", "dropped 4 of 4 requests", "no answer (closed"),
        ("in-flight-requests", "exit-code", "answered the requests in flight, but then ended with exit code 3", "200"),
        ("serves-restricted", "writes", "does not serve with a read-only root", "Read-only file system"),
        ("serves-restricted", "memory", "does not serve with 128 MB of memory", "out of memory"),
        ("serves-restricted", "crash", "does not serve even without any restriction", "this is what it says"),
    ],
)
def test_a_broken_service_does_not_keep(  # noqa: PLR0917 -- three fixtures and four columns
    claim: str, how: str, message: str, seen: str, broken: Broken, session: Session, decide: Decide
) -> None:
    finding = decide(claim, session(broken(how)))
    assert finding.verdict is Verdict.FAIL, (finding.message, evidence(finding))
    assert message in finding.message
    assert seen in evidence(finding)
    assert finding.do


def test_a_service_that_needs_root_is_told_which_restriction_is_to_blame(
    broken: Broken, session: Session, decide: Decide
) -> None:
    finding = decide("serves-restricted", session(broken("root", "USER 0:0")))
    assert finding.verdict is Verdict.FAIL
    assert "the user 1234567:0" in finding.message
    assert "only root may start this" in evidence(finding)


@pytest.mark.parametrize("claim", ["answers-http", "listens-everywhere"])
def test_a_wrong_expose_makes_no_other_claim_untrue(
    claim: str, broken: Broken, session: Session, decide: Decide
) -> None:
    finding = decide(claim, session(broken("port")))
    assert finding.verdict is Verdict.PASS
    assert "9090" in evidence(finding)


def test_an_image_without_a_health_command_has_no_proven_health(
    broken: Broken, session: Session, decide: Decide
) -> None:
    finding = decide("health-proof", session(broken("", "HEALTHCHECK NONE")))
    assert (finding.verdict, finding.message) == (Verdict.FAIL, "has no health command")


def test_a_health_command_that_cannot_be_run_is_no_proof(broken: Broken, session: Session, decide: Decide) -> None:
    finding = decide("health-proof", session(broken("", 'HEALTHCHECK CMD ["/absent"]')))
    assert finding.verdict is Verdict.FAIL
    assert "no such file" in evidence(finding)


def test_an_entry_point_that_does_not_exist_serves_nothing(broken: Broken, session: Session, decide: Decide) -> None:
    finding = decide("answers-http", session(broken("", 'ENTRYPOINT ["/absent"]')))
    assert finding.verdict is Verdict.FAIL
    assert "no such file" in evidence(finding)


def test_labels_that_are_absent_match_nothing(broken: Broken, session: Session, decide: Decide) -> None:
    finding = decide("labels-match-version", session(broken("", "LABEL org.opencontainers.image.revision=")))
    assert finding.verdict is Verdict.FAIL


def test_another_path_that_is_no_json_matches_nothing(service_image: str, session: Session, decide: Decide) -> None:
    finding = decide("labels-match-version", session(service_image), path="/")
    assert finding.verdict is Verdict.FAIL


def test_requests_that_were_over_before_the_stop_prove_nothing(
    service_image: str, session: Session, decide: Decide
) -> None:
    finding = decide("in-flight-requests", session(service_image), env="NOTHING")
    assert finding.verdict is Verdict.UNKNOWN
    assert "not in flight" in finding.message


def test_a_helper_that_cannot_look_gives_no_answer(
    client: docker.DockerClient, run: Run, service_image: str, broken: Broken, decide: Decide
) -> None:
    silent = broken("", 'ENTRYPOINT ["python3", "-c", "import sys; sys.exit(\'no agent here\')"]')
    with Live(client, service_image, run=run, helper_image=silent) as live:
        finding = decide("ports-match", live)
    assert finding.verdict is Verdict.UNKNOWN
    assert "no agent here" in evidence(finding)


def test_limits_that_the_engine_did_not_put_in_force_prove_nothing(
    service_image: str, session: Session, monkeypatch: pytest.MonkeyPatch, decide: Decide
) -> None:
    live = session(service_image)
    monkeypatch.setattr(live, "restricted", lambda: live._shared_with(Kind.FREE, Options()))
    finding = decide("serves-restricted", live)
    assert finding.verdict is Verdict.UNKNOWN
    assert "it runs as 65532:65532" in evidence(finding)


def test_two_checks_that_only_look_share_one_container(
    service_image: str, session: Session, client: docker.DockerClient, decide: Decide
) -> None:
    live = session(service_image)
    decide("ports-match", live)
    first = live.restricted().container.id
    decide("answers-http", live)
    assert live.restricted().container.id == first
    live.close()
    with pytest.raises(docker.errors.NotFound):
        client.containers.get(first)


def test_a_stack_with_little_memory_is_held_to_it(
    client: docker.DockerClient, run: Run, helper_image: str, service_image: str, decide: Decide
) -> None:
    limits = Limits(memory=64_000_000, pids=20, start_seconds=6)
    with Live(client, service_image, run=run, helper_image=helper_image, limits=limits) as live:
        assert decide("serves-restricted", live).verdict is Verdict.PASS
        host = live.restricted().container.inspect()["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (64_000_000, 64_000_000, 20)
