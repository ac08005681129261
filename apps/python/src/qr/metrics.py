"""Counters for Prometheus."""

from __future__ import annotations

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"})
OTHER = "other"

disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._registry = CollectorRegistry()
        for collector in (GCCollector, PlatformCollector, ProcessCollector):
            collector(registry=self._registry)
        self._requests = Counter(
            "http_requests_total", "Requests answered.", ["method", "path", "status"], registry=self._registry
        )
        self._durations = Histogram(
            "http_request_duration_seconds", "Time to answer.", ["method", "path"], registry=self._registry
        )

    def count(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count one request; what a client invents (methods, paths) shares one label, so that labels stay few."""
        method = method if method in METHODS else OTHER
        path = route or OTHER
        self._requests.labels(method, path, str(status)).inc()
        self._durations.labels(method, path).observe(seconds)

    def text(self) -> bytes:
        """Give the text that Prometheus reads."""
        return generate_latest(self._registry)
