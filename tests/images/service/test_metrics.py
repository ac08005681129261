"""What the service counts."""

from __future__ import annotations

import re

import pytest

from stageproof.live.session import Running
from stageproof.live.wait import until

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
COUNTER = "http_requests_total"
HISTOGRAM = "http_request_duration_seconds"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(service: Running) -> Samples:
    """Read Prometheus text; every line must be one."""
    found: Samples = {}
    for line in service.ask("/metrics").text.splitlines():
        if line and not line.startswith("#"):
            match = SAMPLE.match(line)
            assert match, line
            found[match[1], frozenset(LABEL.findall(match[2] or ""))] = float(match[3])
    return found


def count(found: Samples, name: str, **labels: str) -> float:
    """Give one sample; absent is nothing yet."""
    return found.get((name, frozenset(labels.items())), 0.0)


def test_metrics_are_prometheus_text(service: Running) -> None:
    answer = service.ask("/metrics")
    parts = [part.strip() for part in (answer.header("Content-Type") or "").split(";")]
    assert (answer.status, parts[:2]) == (200, ["text/plain", "version=0.0.4"])
    assert f"# TYPE {COUNTER} counter" in answer.text
    assert f"# TYPE {HISTOGRAM} histogram" in answer.text
    assert answer.text.endswith("\n")


@pytest.mark.parametrize(
    ("method", "target", "labels"),
    [
        ("GET", "/qr?text=count", {"method": "GET", "path": "/qr", "status": "200"}),
        ("HEAD", "/qr?text=count", {"method": "HEAD", "path": "/qr", "status": "200"}),
        ("GET", "/qr", {"method": "GET", "path": "/qr", "status": "400"}),
        ("GET", "/", {"method": "GET", "path": "/", "status": "200"}),
        ("GET", "/healthz", {"method": "GET", "path": "/healthz", "status": "200"}),
        ("GET", "/readyz", {"method": "GET", "path": "/readyz", "status": "200"}),
        ("GET", "/version", {"method": "GET", "path": "/version", "status": "200"}),
        ("GET", "/nowhere/%41", {"method": "GET", "path": "other", "status": "404"}),
        ("POST", "/qr", {"method": "POST", "path": "/qr", "status": "405"}),
        ("BREW", "/qr", {"method": "other", "path": "/qr", "status": "405"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_is_counted_and_timed(service: Running, method: str, target: str, labels: dict[str, str]) -> None:
    timed = {name: value for name, value in labels.items() if name != "status"}
    before = samples(service)
    for _ in range(3):
        service.ask(target, method=method)

    def grown(name: str, which: dict[str, str]) -> bool:
        return count(samples(service), name, **which) == count(before, name, **which) + 3

    assert until(lambda: grown(COUNTER, labels), 2), (labels, [key for key in samples(service) if key[0] == COUNTER])
    assert until(lambda: grown(f"{HISTOGRAM}_count", timed), 2)


def test_asking_for_metrics_is_counted_too(service: Running) -> None:
    labels = {"method": "GET", "path": "/metrics", "status": "200"}
    first = count(samples(service), COUNTER, **labels)
    assert until(lambda: count(samples(service), COUNTER, **labels) > first, 2)


def test_the_labels_are_those_of_the_contract_and_no_others(service: Running) -> None:
    found = samples(service)
    assert {tuple(sorted(name for name, _ in labels)) for name, labels in found if name == COUNTER} == {
        ("method", "path", "status")
    }
    assert {tuple(sorted(name for name, _ in labels)) for name, labels in found if name == f"{HISTOGRAM}_bucket"} == {
        ("le", "method", "path")
    }


def test_unknown_paths_and_methods_make_no_new_series(service: Running) -> None:
    for number in range(20):
        service.ask(f"/unknown-{number}", method=f"METHOD{number}")
    allowed = {"/", "/qr", "/healthz", "/readyz", "/version", "/metrics", "other"}
    known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "other"}
    labels = [dict(labels) for name, labels in samples(service) if name == COUNTER]
    assert {one["path"] for one in labels} <= allowed
    assert {one["method"] for one in labels} <= known


def test_the_buckets_of_the_histogram_grow_to_its_count(service: Running) -> None:
    service.ask("/qr?text=buckets")
    found = samples(service)
    buckets = {
        dict(labels)["le"]: value
        for (name, labels), value in found.items()
        if name == f"{HISTOGRAM}_bucket" and {("method", "GET"), ("path", "/qr")} <= labels
    }
    ordered = [buckets[edge] for edge in sorted(buckets, key=float)]
    assert len(ordered) > 3
    assert ordered == sorted(ordered)
    assert buckets["+Inf"] == count(found, f"{HISTOGRAM}_count", method="GET", path="/qr")
    assert count(found, f"{HISTOGRAM}_sum", method="GET", path="/qr") > 0
