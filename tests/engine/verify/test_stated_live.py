"""Ports and answers are as a contract states them, or the finding says where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import docker
import pytest

from stageproof import verify
from stageproof.checks.subject import Subject
from stageproof.engine.images import Images
from stageproof.errors import CatalogError
from stageproof.image import sources
from stageproof.inspection import cache_folder
from stageproof.live import Live, Run
from stageproof.live.restrictions import DEFAULT_LIMITS
from stageproof.model import Claim, Finding, Verdict


@pytest.fixture(scope="module")
def subject(client: docker.DockerClient, service: str, helper_image: str, run: Run) -> Iterator[Subject]:
    """Give the running service; what is stated wrongly is waited for no longer than needed."""
    (image,) = sources.read([service], cache=cache_folder(), engine=lambda: Images(client))[service]
    limits = replace(DEFAULT_LIMITS, start_seconds=5)
    with Live(client, service, run=run, helper_image=helper_image, limits=limits, hardened=True) as live:
        yield Subject(image, live=live, elsewhere=True)


def ports(subject: Subject, **row: Any) -> Finding:
    return verify.decide(Claim("ports-as-stated", {"ports": [row]}), subject)


def http(subject: Subject, **row: Any) -> Finding:
    return verify.decide(Claim("http-as-stated", {"requests": [row]}), subject)


@pytest.mark.parametrize(
    "row",
    [
        {"port": "tcp:8080"},
        {"port": "8080", "addresses": ["0.0.0.0"]},  # noqa: S104 -- looked for, not listened on
        {"port": "tcp:22", "listening": False},
        {"port": "udp:8080", "listening": False},
    ],
)
def test_a_port_that_is_as_stated_keeps_the_claim(subject: Subject, row: dict[str, Any]) -> None:
    assert ports(subject, **row).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        ({"port": "tcp:9090"}, "tcp:9090 is not listened on, stated is the contrary"),
        ({"port": "tcp:8080", "listening": False}, "tcp:8080 is listened on, stated is the contrary"),
        ({"port": "tcp:8080", "addresses": ["127.0.0.1"]}, "tcp:8080 is not listened on at 127.0.0.1"),
    ],
)
def test_a_port_that_differs_breaks_the_claim_and_says_how(subject: Subject, row: dict[str, Any], seen: str) -> None:
    finding = ports(subject, **row)
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence[0].text == seen


@pytest.mark.parametrize(
    "row",
    [
        {"path": "/", "status": 200},
        {"path": "/x?y=1", "port": 8080, "body": ["^ok\n$"], "headers": ["content-length: 3"]},
    ],
)
def test_an_answer_that_is_as_stated_keeps_the_claim(subject: Subject, row: dict[str, Any]) -> None:
    assert http(subject, **row).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        ({"path": "/", "status": 404}, "GET /: status 200; stated is 404"),
        ({"path": "/", "body": ["no+"]}, "GET /: status 200; the body matches 'no+' nowhere"),
        ({"path": "/", "headers": ["^x-frame"]}, "GET /: status 200; no header matches '^x-frame'"),
    ],
)
def test_an_answer_that_differs_breaks_the_claim_and_says_how(subject: Subject, row: dict[str, Any], seen: str) -> None:
    finding = http(subject, **row)
    assert finding.verdict is Verdict.FAIL
    assert [each.text for each in finding.evidence] == [seen]


def test_no_answer_breaks_the_claim(subject: Subject) -> None:
    finding = http(subject, path="/", port=9090)
    assert finding.verdict is Verdict.FAIL
    assert "stated is that it is answered" in finding.evidence[0].text


@pytest.mark.parametrize("port", ["http", "tcp:", "sctp:80"])
def test_what_is_no_port_is_an_error_of_the_contract(subject: Subject, port: str) -> None:
    with pytest.raises(CatalogError, match="ports-as-stated"):
        ports(subject, port=port)


@pytest.mark.parametrize("claim", ["ports-as-stated", "http-as-stated"])
def test_without_a_container_it_is_unknown(subject: Subject, claim: str) -> None:
    rows = {"ports-as-stated": {"ports": [{"port": "80"}]}, "http-as-stated": {"requests": [{"path": "/"}]}}
    assert verify.decide(Claim(claim, rows[claim]), replace(subject, live=None)).verdict is Verdict.UNKNOWN
