"""What goes on for long: a log that fills up, and a load that is sent again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from stageproof.checks.live.steady_under_load import LOADS
from stageproof.live import Helper, Live
from stageproof.model import Finding, Verdict

Broken = Callable[..., str]
Session = Callable[[str], Live]
Decide = Callable[..., Finding]


def evidence(finding: Finding) -> str:
    return "\n".join(one.text for one in finding.evidence)


def test_a_service_that_logs_no_requests_fills_no_log(broken: Broken, session: Session, decide: Decide) -> None:
    finding = decide("full-log", session(broken("silent")), seconds=0.2)
    assert finding.verdict is Verdict.UNKNOWN
    assert "logs no requests" in finding.message


def test_an_engine_that_keeps_every_line_fills_no_log(
    service_image: str, session: Session, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = session(service_image)
    start = live.start
    monkeypatch.setattr(live, "start", lambda options: start(replace(options, log_bytes=None)))
    finding = decide("full-log", live)
    assert finding.verdict is Verdict.UNKNOWN
    assert "its oldest lines are still there" in finding.message


def test_garbage_that_is_collected_late_is_no_leak(broken: Broken, session: Session, decide: Decide) -> None:
    finding = decide("steady-under-load", session(broken("collects-late")), bursts=2)
    assert finding.verdict is Verdict.PASS, evidence(finding)
    assert len(finding.evidence) > 1 + LOADS, "it was seen to grow for longer than files and threads may"


def test_a_load_whose_memory_the_kernel_does_not_tell_proves_nothing(
    service_image: str, session: Session, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = session(service_image)
    live.restricted()
    read = Helper.read
    monkeypatch.setattr(Helper, "read", lambda self, path: None if "cgroup" in path else read(self, path))
    assert decide("steady-under-load", live).verdict is Verdict.UNKNOWN
