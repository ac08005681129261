"""What the service writes down."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from stageproof.live.session import Running
from stageproof.live.wait import until

OTHER_PORT = 9191
LEVELS = {"debug", "info", "warning", "error"}


def lines(service: Running) -> list[dict[str, Any]]:
    """Read the log; every line of standard output must be a JSON object."""
    return [json.loads(line) for line in service.container.output(stderr=False).decode().splitlines()]


def line_of(service: Running, path: str) -> dict[str, Any]:
    """Wait for the line of a request: it must appear at once, and not when a buffer is full."""
    found = until(lambda: [line for line in lines(service) if line.get("path") == path] or None, 2)
    assert found, f"no line for {path}"
    return found[0]


def test_a_request_is_logged_at_once_with_all_its_fields(service: Running) -> None:
    service.ask("/logged-as-it-is?secret=1", method="GET")
    line = line_of(service, "/logged-as-it-is")
    assert (line["method"], line["path"], line["status"], line["level"]) == ("GET", "/logged-as-it-is", 404, "info")
    assert isinstance(line["duration_ms"], int | float)
    assert 0 <= line["duration_ms"] < 5000
    assert "secret" not in json.dumps(line)


def test_every_line_is_json_with_time_level_and_message(service: Running) -> None:
    service.ask("/line%0abreak%22quote")
    service.ask(b"/\xff", method="BREW")
    service.ask("/qr", headers={"X-Odd": 'a"b'})
    found = lines(service)
    assert found
    for line in found:
        assert line["level"] in LEVELS
        assert isinstance(line["message"], str)
        when = datetime.fromisoformat(line["time"])
        assert when.utcoffset() == timedelta(0)


def test_probes_are_not_logged(service: Running) -> None:
    service.ask("/healthz")
    service.ask("/readyz")
    service.ask("/after-the-probes")
    assert line_of(service, "/after-the-probes")
    assert not [line for line in lines(service) if line.get("path") in {"/healthz", "/readyz"}]


def test_requests_are_left_out_below_the_level(other: Running) -> None:
    for _ in range(3):
        assert other.ask("/version", port=OTHER_PORT).status == 200
    assert not [line for line in lines(other) if line["level"] in {"debug", "info"}]
