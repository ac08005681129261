from __future__ import annotations

from typing import TYPE_CHECKING
from unittest import mock

import pytest

from qr import web
from qr.config import Config
from qr.lifecycle import Lifecycle

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse


def client_of(config: Config | None = None, lifecycle: Lifecycle | None = None) -> FlaskClient:
    if lifecycle is None:
        lifecycle = Lifecycle()
        lifecycle.ready()
    return web.create_app(config or Config(), lifecycle).test_client()


@pytest.fixture
def client() -> FlaskClient:
    return client_of()


def assert_problem(response: TestResponse, status: int, kind: str, field: str | None = None) -> None:
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    body = response.get_json()
    assert body["type"] == f"urn:stageproof:problem:{kind}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body.get("field") == field
    assert set(body) <= {"type", "title", "status", "detail", "field"}
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"


def test_the_page_has_a_form_for_all_three_parameters(client: FlaskClient) -> None:
    response = client.get("/")
    assert response.content_type == "text/html; charset=utf-8"
    assert 'action="/qr"' in response.text
    assert all(f'name="{name}"' in response.text for name in ("text", "format", "scale"))


def test_a_code_is_an_svg_of_scale_8_unless_asked_otherwise(client: FlaskClient) -> None:
    response = client.get("/qr?text=hello")
    assert response.content_type == "image/svg+xml"
    assert 'width="232"' in response.text
    assert response.headers["Cache-Control"] == "public, max-age=86400"


def test_a_code_can_be_a_png(client: FlaskClient) -> None:
    response = client.get("/qr?text=hello&format=png&scale=20")
    assert response.content_type == "image/png"
    assert response.data.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "text"),
        ("text=", "text"),
        ("text", "text"),
        ("text=a&text=b", "text"),
        ("text=%FF", "text"),
        ("text=%ED%A0%80", "text"),
        ("text=" + "x" * 1025, "text"),
        ("text=" + "%C3%A9" * 513, "text"),
        ("text=a&format=gif", "format"),
        ("text=a&format=", "format"),
        ("text=a&format=SVG", "format"),
        ("text=a&format=svg&format=svg", "format"),
        ("text=a&scale=0", "scale"),
        ("text=a&scale=21", "scale"),
        ("text=a&scale=", "scale"),
        ("text=a&scale=+5", "scale"),
        ("text=a&scale=%2B5", "scale"),
        ("text=a&scale=5.0", "scale"),
        ("text=a&scale=%D9%A3", "scale"),
        ("text=a&scale=8&scale=8", "scale"),
    ],
)
def test_a_wrong_parameter_is_named(client: FlaskClient, query: str, field: str) -> None:
    assert_problem(client.get(f"/qr?{query}"), 400, "invalid-parameter", field)


@pytest.mark.parametrize(
    "query",
    ["text=" + "x" * 1024, "text=" + "%C3%A9" * 512, "text=+", "text=%00", "text=a&other=%FF&other=2", "t%65xt=a"],
)
def test_what_is_allowed_is_drawn(client: FlaskClient, query: str) -> None:
    assert client.get(f"/qr?{query}").status_code == 200


def test_a_plus_is_a_space(client: FlaskClient) -> None:
    assert client.get("/qr?text=a+b").data == client.get("/qr?text=a%20b").data != client.get("/qr?text=a%2Bb").data


@pytest.mark.parametrize("path", ["/nope", "/qr/", "/qr//", "/a//b", "/QR", "/static/index.html", "/healthz/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_an_unknown_path_is_not_found(client: FlaskClient, path: str, method: str) -> None:
    assert_problem(client.open(path, method=method), 404, "not-found")


@pytest.mark.parametrize("path", ["/", "/qr", "/healthz", "/readyz", "/version", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"])
def test_other_methods_are_not_allowed(client: FlaskClient, path: str, method: str) -> None:
    response = client.open(path, method=method)
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/qr?text=a", "/healthz", "/readyz", "/version", "/metrics"])
def test_head_is_get_without_the_body(client: FlaskClient, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert head.status_code == get.status_code == 200
    assert head.content_type == get.content_type
    assert head.data == b""
    assert get.content_length == len(get.data)


@pytest.mark.parametrize("path", ["/", "/qr", "/nope"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_large_body_is_refused_everywhere(client: FlaskClient, path: str, method: str) -> None:
    assert_problem(client.open(path, method=method, data=b"x" * 65_537), 413, "content-too-large", "body")


def test_a_body_of_the_limit_is_not_too_large(client: FlaskClient) -> None:
    assert client.get("/qr?text=a", data=b"x" * 65_536).status_code == 200


def test_what_nobody_foresaw_is_an_internal_problem_and_a_line_in_the_log(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with mock.patch.object(web, "draw", side_effect=RuntimeError("a secret of the house")):
        response = client.get("/qr?text=a")
    assert_problem(response, 500, "internal")
    assert "secret" not in response.text
    assert "a secret of the house" in caplog.text


def test_health_fails_when_it_is_told_to() -> None:
    assert client_of().get("/healthz").get_json() == {"status": "ok"}
    failing = client_of(Config(unhealthy_after=0)).get("/healthz")
    assert (failing.status_code, failing.get_json()) == (503, {"status": "failing"})
    assert client_of(Config(unhealthy_after=3600)).get("/healthz").status_code == 200


def test_readiness_follows_the_life_of_the_service() -> None:
    lifecycle = Lifecycle()
    client = client_of(lifecycle=lifecycle)
    answers = [client.get("/readyz")]
    lifecycle.ready()
    answers.append(client.get("/readyz"))
    lifecycle.drain()
    answers.append(client.get("/readyz"))
    assert [(answer.status_code, answer.get_json()["status"]) for answer in answers] == [
        (503, "starting"),
        (200, "ready"),
        (503, "draining"),
    ]


def test_the_version_is_what_the_environment_said() -> None:
    body = client_of(Config(version="1.2.3", commit="abc", built="today")).get("/version").get_json()
    assert body.pop("runtime").startswith("CPython 3.")
    assert body == {"stack": "python", "version": "1.2.3", "commit": "abc", "built": "today"}


def test_requests_are_counted_by_method_route_and_status(client: FlaskClient) -> None:
    client.get("/qr?text=a")
    client.post("/qr")
    client.open("/somewhere", method="FOO")
    response = client.get("/metrics")
    assert response.content_type.startswith("text/plain; version=0.0.4")
    assert 'http_requests_total{method="GET",path="/qr",status="200"} 1.0' in response.text
    assert 'http_requests_total{method="POST",path="/qr",status="405"} 1.0' in response.text
    assert 'http_requests_total{method="other",path="other",status="404"} 1.0' in response.text
    assert 'http_request_duration_seconds_count{method="GET",path="/qr"} 1.0' in response.text
    assert "somewhere" not in response.text
    assert 'path="/metrics"' in client.get("/metrics").text
