"""One thing wrong with how it runs turns exactly the claim red that speaks of it.

A row of DESIGN's table may be two ids ("SIGTERM: readiness off, requests in flight finished"): then both are named.
"""

from __future__ import annotations

from collections.abc import Callable

from stageproof.model import Finding, Verdict

Broken = Callable[[str, list[tuple[str, str]]], dict[str, Finding]]

PROBE = 'CMD ["/nodejs/bin/node", "/app/src/main.js", "healthcheck"]'
DEAF = (
    '"data:text/javascript,const on=process.on;process.on=process.once=function(name,heard)'
    '{return on.call(this,name,/^SIG/.test(name)?()=>0:heard)}"'
)
"""A module that lets the app listen to signals, and hear none."""


def test_the_file_as_it_is_breaks_no_claim(broken_claims: Broken) -> None:
    assert broken_claims("node-distroless", [("EXPOSE 8080", "EXPOSE 8080/tcp")]) == {}


def test_without_a_self_probe_the_health_claims_break(broken_claims: Broken) -> None:
    found = broken_claims(
        "go-distroless",
        [
            ('CMD ["/app/qr", "healthcheck"]', "NONE"),
            ("HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \\\n    NONE", "HEALTHCHECK NONE"),
        ],
    )
    assert set(found) == {"health-proof", "healthcheck-resolves"}


def test_a_probe_that_always_says_yes_breaks_health_proof(broken_claims: Broken) -> None:
    found = broken_claims("node-distroless", [(PROBE, 'CMD ["/nodejs/bin/node", "-e", "0"]')])
    assert set(found) == {"health-proof", "hang-is-unhealthy"}


def test_a_wrong_port_breaks_ports_match(broken_claims: Broken) -> None:
    assert set(broken_claims("go-distroless", [("EXPOSE 8080", "EXPOSE 9090")])) == {"ports-match"}


def test_ignoring_sigterm_breaks_the_claims_about_the_stop(broken_claims: Broken) -> None:
    listens = '"/app/src/main.js"]\nHEALTHCHECK'
    found = broken_claims("node-distroless", [(listens, f'"--import", {DEAF}, {listens}')])
    assert set(found) == {"graceful-stop", "in-flight-requests", "stop-during-start"}
    assert all(finding.verdict is Verdict.FAIL for finding in found.values())
