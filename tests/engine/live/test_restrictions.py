"""Every claim about what a container can do without: where it holds, where it does not, and where nobody can know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import docker
import pytest

from stageproof.live import Answer, Container, Helper, Live, Options, Run, Unrouted
from stageproof.live.session import Kind
from stageproof.model import Finding, Limits, Verdict

CLAIMS = (
    "arbitrary-gid",
    "arbitrary-uid",
    "cpu-limit",
    "default-seccomp",
    "effective-identity",
    "idle-memory",
    "ipv6",
    "log-stream",
    "memory-limit",
    "no-capabilities",
    "no-egress",
    "no-new-privileges",
    "pids-limit",
    "read-only-root",
    "serves-without-tmp",
    "start-time",
    "time-zone",
    "utf8",
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
        ("arbitrary-gid", "group-0", "ended with exit code 1", "only group 0 may start this"),
        ("arbitrary-uid", "crash", "ended with exit code 1", "this is what it says"),
        ("cpu-limit", "impatient", "does not serve a load with half a processor", "status 503"),
        ("default-seccomp", "needs-system-calls", "ended with exit code 1", "cannot start: Seccomp"),
        ("ipv6", "ipv4-only", "does not serve over IPv6", "it listens on 0.0.0.0:8080/tcp"),
        ("ipv6", "ipv6-only", "GET / gives no answer (refused", "ready"),
        ("ipv6", "needs-ipv6", "ended with exit code 1", "Cannot assign requested address"),
        ("log-stream", "logs-to-file", "logs to a file", "/var/tmp/app.log"),
        ("log-stream", "buffers-log", "keeps its log in a buffer until its end", "at its end came"),
        ("memory-limit", "hungry", "", ""),
        ("no-capabilities", "needs-capability", "ended with exit code 1", "cannot start: CapBnd"),
        ("no-egress", "egress", "tries to reach somebody", "it looked for 192.0.2.1 port 80"),
        ("no-egress", "egress", "tries to reach somebody", " for home.example.org"),
        ("no-new-privileges", "needs-privileges", "ended with exit code 1", "cannot start: NoNewPrivs"),
        ("pids-limit", "threads", "wanted more than 64 processes and threads", "the limit is 64"),
        ("read-only-root", "writes", "does not serve with a read-only root", "it wrote: A /var/tmp/state"),
        ("serves-without-tmp", "server-error", "runs on, and does not serve", ""),
        ("serves-without-tmp", "traces-tmp", "ended with a stack trace", "OSError"),
        ("serves-restricted", "writes", "with a read-only root", "without a read-only root it wrote: A /var/tmp/state"),
        ("start-time", "crash", "ended with exit code 1", "this is what it says"),
        ("time-zone", "local-time", "tells a wrong time in another time zone", "UTC it wrote:"),
        ("utf8", "ascii", "does not keep text that is not ASCII", "gr?n"),
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


@pytest.mark.parametrize(
    ("claim", "parameters", "message"),
    [
        ("start-time", {"seconds": 0.001}, "to its first answer, more than 0.001 s"),
        ("idle-memory", {"mb": 1}, "when it is idle, more than 1.0 MB"),
        ("idle-memory", {"share": 0.001}, "when it is idle, more than 0.1 MB"),
    ],
)
def test_a_limit_that_is_too_small_is_not_kept(
    claim: str, parameters: dict[str, object], message: str, good: Live, decide: Decide
) -> None:
    finding = decide(claim, good, **parameters)
    assert finding.verdict is Verdict.FAIL
    assert message in finding.message


def test_who_says_at_the_start_that_it_needs_a_tmp_keeps_the_claim(
    broken: Broken, session: Session, decide: Decide
) -> None:
    finding = decide("serves-without-tmp", session(broken("asks-tmp")))
    assert finding.verdict is Verdict.PASS, finding.message
    assert "/tmp cannot be written to" in evidence(finding)


def test_a_service_that_becomes_another_user_does_not_run_as_the_one_that_it_names(
    broken: Broken, session: Session, decide: Decide
) -> None:
    finding = decide("effective-identity", session(broken("changes-user", "USER 0:0")))
    assert finding.verdict is Verdict.FAIL
    assert "USER 0:0 is 0:0" in evidence(finding)
    assert "is 65534:0" in evidence(finding)


@pytest.mark.parametrize(
    ("user", "identity"), [("nobody", "65534:65534"), ("4711", "4711:0"), ("7:daemon", "7:1"), ("1:9", "1:9")]
)
def test_a_user_is_read_as_the_engine_reads_it(
    user: str, identity: str, broken: Broken, session: Session, decide: Decide
) -> None:
    finding = decide("effective-identity", session(broken("", f"USER {user}")))
    assert finding.verdict is Verdict.PASS, evidence(finding)
    assert finding.message.endswith(identity)


@pytest.mark.parametrize(
    "claim",
    [
        "arbitrary-gid",
        "arbitrary-uid",
        "memory-limit",
        "no-capabilities",
        "no-egress",
        "no-new-privileges",
        "pids-limit",
    ],
)
def test_no_claim_is_broken_by_a_restriction_that_it_says_nothing_about(
    claim: str, broken: Broken, session: Session, decide: Decide
) -> None:
    finding = decide(claim, session(broken("writes")))
    assert finding.verdict is Verdict.PASS, (finding.message, evidence(finding))


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ("arbitrary-uid", "the engine did not start it as 1234567:0"),
        ("memory-limit", "the engine set another limit than 128000000 bytes"),
        ("no-capabilities", "the engine did not take all capabilities away"),
        ("no-new-privileges", "the engine did not forbid new privileges"),
        ("pids-limit", "the engine set another limit than 64"),
        ("read-only-root", "the engine did not make the root read-only"),
    ],
)
def test_a_restriction_that_the_engine_did_not_put_in_force_proves_nothing(
    claim: str, message: str, good: Live, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(good, "restricted", lambda: good._shared_with(Kind.FREE, Options()))
    finding = decide(claim, good)
    assert finding.verdict is Verdict.UNKNOWN
    assert message in finding.message


def test_an_engine_that_filters_no_system_calls_proves_nothing(
    service_image: str, session: Session, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Options.arguments

    def unconfined(options: Options) -> dict[str, Any]:
        return given(options) | {"security_opt": ["seccomp=unconfined"]}

    monkeypatch.setattr(Options, "arguments", unconfined)
    finding = decide("default-seccomp", session(service_image))
    assert (finding.verdict, finding.message) == (Verdict.UNKNOWN, "the engine does not filter system calls")


def test_an_engine_that_limits_no_processors_proves_nothing(
    good: Live, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Container, "limit_cpus", lambda _self, _cpus: None)
    finding = decide("cpu-limit", good)
    assert finding.verdict is Verdict.UNKNOWN
    assert "another limit than 0.5 processors: None" in finding.message


def test_counters_that_notice_nothing_prove_no_silence(
    good: Live, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Helper, "unrouted", lambda _self: Unrouted(0, 0, control=False))
    assert decide("no-egress", good).verdict is Verdict.UNKNOWN


def test_the_helpers_own_tries_are_not_the_images(good: Live, decide: Decide) -> None:
    for _ in range(2):
        assert decide("no-egress", good).verdict is Verdict.PASS


def test_where_there_is_no_ipv6_nothing_is_asked_over_it(
    good: Live, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(good, "restricted", good.abroad)
    finding = decide("ipv6", good)
    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert "no IPv6" in finding.message


def test_a_service_that_tells_no_time_cannot_tell_a_wrong_one(
    broken: Broken, session: Session, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answer, "header", lambda _self, _name: None)
    finding = decide("time-zone", session(broken("silent")))
    assert (finding.verdict, finding.message[:13]) == (Verdict.UNKNOWN, "tells no time")


def test_a_service_that_logs_no_requests_cannot_be_seen_to_log(
    broken: Broken, session: Session, decide: Decide
) -> None:
    finding = decide("log-stream", session(broken("silent")), seconds=0.5)
    assert finding.verdict is Verdict.UNKNOWN
    assert "does not log a request for /log-stream-" in finding.message


def test_a_value_that_is_not_told_again_says_nothing_about_its_encoding(good: Live, decide: Decide) -> None:
    finding = decide("utf8", good, path="/")
    assert finding.verdict is Verdict.UNKNOWN
    assert "GET / does not tell the value of APP_VERSION" in finding.message


def test_another_variable_gets_a_container_of_its_own(good: Live, decide: Decide) -> None:
    finding = decide("utf8", good, env="APP_COMMIT")
    assert finding.verdict is Verdict.PASS
    assert "APP_COMMIT=gr" in evidence(finding)


def test_what_a_user_of_an_unknown_name_is_stays_unknown(
    good: Live, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    good.abroad()
    monkeypatch.setitem(good.config, "User", "somebody-else")
    assert decide("effective-identity", good).verdict is Verdict.UNKNOWN


def test_a_kernel_that_tells_no_memory_leaves_it_unknown(
    client: docker.DockerClient, run: Run, helper_image: str, service_image: str, decide: Decide
) -> None:
    limits = Limits(memory=128_000_000, pids=64, start_seconds=8)
    with Live(client, service_image, run=run, helper_image=helper_image, limits=limits) as live:
        read = Helper.read
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Helper, "read", lambda self, path: None if "cgroup" in path else read(self, path))
            assert decide("idle-memory", live).verdict is Verdict.UNKNOWN
            assert decide("memory-limit", live).verdict is Verdict.UNKNOWN
