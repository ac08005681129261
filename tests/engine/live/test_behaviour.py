"""Every claim about how a container behaves: where it holds, where it does not, and where nobody can know."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import docker
import docker.errors
import pytest

from stageproof import checks, verify
from stageproof.checks.subject import Subject
from stageproof.errors import HelperError
from stageproof.image import Image
from stageproof.live import Helper, Live, Run
from stageproof.model import Claim, Finding, Verdict

CLAIMS: dict[str, dict[str, object]] = {
    "bad-config": {},
    "big-body": {},
    "cheap-health-probe": {},
    "client-disconnects": {},
    "error-pages": {"paths": []},
    "full-log": {},
    "full-tmp": {},
    "hang-is-unhealthy": {},
    "malformed-http": {},
    "no-zombies": {},
    "pid-1-is-the-app": {},
    "port-in-use": {},
    "restart-after-crash": {},
    "slow-clients": {"patience": 3, "grace": 3},
    "steady-under-load": {},
    "stop-during-start": {},
}
QUICK: dict[str, object] = {"clients": 10, "patience": 2, "grace": 0}
ALL = [claim for claim, module in checks.names().items() if ".live." in module and not claim.endswith("-as-stated")]
NO_HELPER = {"health-proof", "bad-config", "serves-remapped"}
"""What can be decided by the engine's own words."""
NEEDS_INDEX = {"wrong-clock"}
"""What looks into the image too; see test_clock."""
SHELL = 'ENTRYPOINT ["sh", "-c", "python3 -I -S /app/service.py & wait"]'

Broken = Callable[..., str]
Session = Callable[[str], Live]
Decide = Callable[..., Finding]


def evidence(finding: Finding) -> str:
    return "\n".join(one.text for one in finding.evidence)


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_good_service_keeps(claim: str, good: Live, decide: Decide) -> None:
    finding = decide(claim, good, **CLAIMS[claim])
    assert finding.verdict is Verdict.PASS, (finding.message, evidence(finding))
    assert finding.evidence


@pytest.mark.parametrize(
    ("claim", "how", "parameters", "message", "seen"),
    [
        ("bad-config", "trace-config", {}, "ended with a stack trace", "ended with exit code 1"),
        ("bad-config", "ignores-config", {}, "runs on with PORT=not-a-port", "PORT=not-a-port"),
        ("bad-config", "says-nothing", {}, "does not name PORT", "exit code 2"),
        ("bad-config", "chatty-config", {}, "said 2 lines instead of 1", "there are many ports"),
        ("big-body", "collects", {}, "ended with exit code 137, out of memory", ""),
        ("client-disconnects", "leaks", {}, "keeps files open for clients that hung up", "200 connections were reset"),
        ("client-disconnects", "storm", {}, "logs a stack trace for a client that hangs up", "Traceback"),
        ("error-pages", "talkative", {}, "reveals something", "tells a product's version: gunicorn/23.0.0"),
        ("error-pages", "talkative", {}, "reveals something", "tells a path of its files: /usr/lib/app/pages.py"),
        (
            "full-log",
            "dies-of-its-log",
            {"seconds": 1},
            "does not live on when the room for its log is full",
            "no answer",
        ),
        (
            "full-log",
            "stops-logging",
            {"seconds": 1},
            "logs no more when the room for its log is full",
            "room for 4096 bytes",
        ),
        ("full-log", "crash", {}, "ended with exit code 1", "this is what it says"),
        ("full-tmp", "needs-tmp", {}, "ended with exit code 6", ""),
        ("malformed-http", "dies-of-nonsense", {}, "ended with exit code 5", ""),
        ("malformed-http", "shows-traces", {}, "is harmed", "no host: 500: an error that nobody foresaw"),
        ("malformed-http", "smuggles", {}, "is harmed", "both lengths: 200 and 404"),
        ("no-zombies", "zombie", {}, "leaves zombie processes", "a child of process 1"),
        ("no-zombies", "", {"orphans": True, "seconds": 0.5}, "leaves zombie processes", "2 orphans were handed"),
        ("port-in-use", "shares-port", {"seconds": 2}, "runs on although its port is taken", "status 200"),
        ("port-in-use", "trace-port", {}, "ended with a stack trace", "OSError"),
        ("port-in-use", "port-is-no-matter", {}, "ended as if all was well", "exit code 0"),
        ("restart-after-crash", "lock", {}, "", "another one is running already"),
        ("restart-after-crash", "crash", {}, "ended with exit code 1", "this is what it says"),
        ("slow-clients", "patient", QUICK, "lets connections stay", "0 of the silent ones were closed"),
        ("slow-clients", "one-at-a-time", {**QUICK, "answer": 0.5}, "keeps others waiting", "10 connections stopped"),
        ("steady-under-load", "leaks", {"settle": 0.5}, "does not give files and threads back", "832 requests"),
        ("steady-under-load", "leaks-memory", {"bursts": 2}, "takes more memory with every load", "832 requests"),
        ("stop-during-start", "deaf-start", {"seconds": 1}, "still ran 1 s after SIGTERM", "still runs"),
        ("cheap-health-probe", "", {"share": 0.0001}, "has a health command that costs too much", "ms of processor"),
        ("cheap-health-probe", "never-healthy", {}, "does not work under restrictions", "ended with [1]"),
    ],
)
def test_a_broken_service_does_not_keep(  # noqa: PLR0917 -- three fixtures and five columns
    claim: str,
    how: str,
    parameters: dict[str, object],
    message: str,
    seen: str,
    broken: Broken,
    session: Session,
    decide: Decide,
) -> None:
    finding = decide(claim, session(broken(how)), **parameters)
    assert finding.verdict is Verdict.FAIL, (finding.message, evidence(finding))
    assert message in finding.message
    assert seen in evidence(finding)
    assert finding.do


def test_a_start_that_was_killed_says_nothing_about_a_bad_value(
    broken: Broken, session: Session, decide: Decide
) -> None:
    finding = decide("bad-config", session(broken("killed-config")))
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.message == "was killed: exit code 137"


def test_a_probe_that_does_not_ask_the_app_does_not_see_it_hang(
    broken: Broken, session: Session, decide: Decide
) -> None:
    finding = decide("hang-is-unhealthy", session(broken("", 'HEALTHCHECK CMD ["python3", "-c", "0"]')))
    assert finding.verdict is Verdict.FAIL, evidence(finding)
    assert finding.message == "stays healthy although it hangs"
    assert "1 process(es) were stopped" in evidence(finding)
    assert "the last probe ended with 0" in evidence(finding)


@pytest.mark.parametrize(
    ("how", "instructions", "verdict"),
    [("never-healthy", (), Verdict.UNKNOWN), ("", ("HEALTHCHECK NONE",), Verdict.NOT_APPLICABLE)],
)
def test_what_never_was_healthy_cannot_be_seen_to_hang(  # noqa: PLR0917 -- three fixtures and three columns
    how: str, instructions: tuple[str, ...], verdict: Verdict, broken: Broken, session: Session, decide: Decide
) -> None:
    assert decide("hang-is-unhealthy", session(broken(how, *instructions)), start_seconds=1).verdict is verdict


def test_everything_that_comes_from_the_first_process_hangs_with_it(
    broken: Broken, session: Session, decide: Decide
) -> None:
    finding = decide("hang-is-unhealthy", session(broken("", SHELL)))
    assert finding.verdict is Verdict.PASS, evidence(finding)
    assert "2 process(es) were stopped" in evidence(finding)


def test_orphans_that_are_seen_to_leave_no_zombies(broken: Broken, session: Session, decide: Decide) -> None:
    finding = decide("no-zombies", session(broken("reaps")), orphans=True)
    assert finding.verdict is Verdict.PASS
    assert "2 orphans were handed to its first process, and ended" in evidence(finding)


def test_a_shell_before_the_app_is_not_the_app(broken: Broken, session: Session, decide: Decide) -> None:
    live = session(broken("", SHELL))
    finding = decide("pid-1-is-the-app", live)
    assert finding.verdict is Verdict.FAIL
    assert "process 1, started by 0: sh -c" in evidence(finding)
    declared = decide("pid-1-is-the-app", live, init=["dash", "bash", "sh"])
    assert declared.verdict is Verdict.PASS


def test_where_there_is_no_health_command_nothing_is_said_of_its_cost(
    broken: Broken, session: Session, decide: Decide
) -> None:
    finding = decide("cheap-health-probe", session(broken("", "HEALTHCHECK NONE")))
    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert finding.message == "has no health command, which is the matter of healthcheck-resolves"


def test_a_service_without_errors_has_nothing_to_reveal(good: Live, decide: Decide) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stageproof.checks.live.error_pages._ask", lambda running, *_: [("GET /", running.ask("/"))])
        finding = decide("error-pages", good)
    assert finding.verdict is Verdict.UNKNOWN


def test_an_answer_that_never_began_was_not_hung_up_on(
    good: Live, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Helper, "abandon", lambda _self, _request, _count: 0)
    assert decide("client-disconnects", good).verdict is Verdict.UNKNOWN


def test_where_no_helper_may_see_so_far_a_crash_stays_unknown(
    service_image: str, session: Session, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = session(service_image)

    def refuse(_container: object) -> None:
        failed = "the helper container did not start"
        raise HelperError(failed, seen="pid namespace of the host is not allowed")

    monkeypatch.setattr(live, "crash", refuse)
    finding = decide("restart-after-crash", live)
    assert finding.verdict is Verdict.UNKNOWN
    assert "pid namespace of the host" in evidence(finding)


def test_a_crash_is_only_given_to_the_container_that_is_meant(good: Live, session: Session, service_image: str) -> None:
    with session(service_image).start() as other:
        other.id, mine = good.serving().container.id, other.id
        inspected = good.client.api.inspect_container(mine)
        other.inspect = lambda: inspected  # type: ignore[method-assign]
        with pytest.raises(HelperError, match="could not answer 'crash'"):
            good.crash(other)
        other.id = mine
        assert other.client.api.inspect_container(mine)["State"]["Running"]


def test_a_container_that_a_check_has_ended_is_not_the_next_ones_fault(
    broken: Broken, session: Session, decide: Decide
) -> None:
    live = session(broken("dies-of-nonsense"))
    assert decide("malformed-http", live).verdict is Verdict.FAIL
    assert decide("answers-http", live).verdict is Verdict.PASS


def test_claims_decided_at_the_same_time_are_given_in_their_order(good: Live) -> None:
    claims = [Claim(name) for name in ("pids-limit", "port-in-use", "restart-after-crash", "utf8", "memory-limit")]
    findings = verify.decide_all(claims, Subject(cast("Image", None), live=good), at_once=3)
    assert [finding.claim for finding in findings] == [claim.id for claim in claims]
    assert {finding.verdict for finding in findings} == {Verdict.PASS}


def test_nothing_is_left_in_the_shared_container_by_a_full_disk(good: Live, decide: Decide) -> None:
    decide("full-tmp", good)
    assert good.restricted().helper.sizes(["/tmp/.stageproof-full"]) == {"/tmp/.stageproof-full": None}


@pytest.mark.parametrize("claim", sorted({*ALL} - NO_HELPER - NEEDS_INDEX))
def test_without_the_helper_image_nobody_can_know_whether_it_keeps(
    claim: str, client: docker.DockerClient, run: Run, service_image: str, decide: Decide
) -> None:
    with Live(client, service_image, run=run, helper_image="stageproof.invalid/absent") as live:
        finding = decide(claim, live)
    assert finding.verdict is Verdict.UNKNOWN
    assert "no image stageproof.invalid/absent for the helper container" in finding.message


@pytest.mark.parametrize("claim", sorted({*ALL} - {"serves-remapped"} - NEEDS_INDEX))
def test_without_the_image_nobody_can_know_whether_it_keeps(
    claim: str, client: docker.DockerClient, run: Run, helper_image: str, decide: Decide
) -> None:
    with Live(client, "stageproof.invalid/absent", run=run, helper_image=helper_image) as live:
        assert decide(claim, live).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("claim", ALL)
def test_where_nothing_may_be_started_nobody_can_know_whether_it_keeps(claim: str, decide: Decide) -> None:
    finding = decide(claim, None)
    assert finding.verdict is Verdict.UNKNOWN
    assert "nothing may be started here" in finding.message
