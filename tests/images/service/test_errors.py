"""What the service says to requests that it cannot serve."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from stageproof.live import Answer, Request
from stageproof.live.session import Running

PROBLEM = "urn:stageproof:problem:"
TALKATIVE = re.compile(
    r"traceback|exception|stack ?trace|\.(?:py|js|java|go|class|jar)\b|werkzeug|flask|gunicorn|fastify|node\.?js|spring"
    r"|tomcat|jetty|catalina|golang|net/http|python|segno|zxing",
    re.IGNORECASE,
)
LIMIT = 65_536


def assert_problem(answer: Answer, status: int, kind: str, field: str | None = None) -> None:
    """A problem as RFC 9457 has it, that tells nothing of what the service is made of."""
    assert (answer.status, answer.media_type) == (status, "application/problem+json"), (answer, answer.body[:300])
    said = answer.json()
    assert (said["type"], said["status"], said.get("field")) == (PROBLEM + kind, status, field)
    assert set(said) <= {"type", "title", "status", "detail", "field"}
    assert said["title"]
    assert said["detail"]
    assert_discreet(answer)
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Content-Length") == str(len(answer.body))


def assert_discreet(answer: Answer) -> None:
    """A body that names nothing that the service is made of."""
    told = TALKATIVE.search(answer.body.decode(errors="replace"))
    assert told is None, told


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "text"),
        ("text=", "text"),
        ("format=svg", "text"),
        ("text=%FF", "text"),
        ("text=a%C3", "text"),
        ("text=%ED%A0%80", "text"),
        ("text=%C0%80", "text"),
        (f"text={'x' * 1025}", "text"),
        (f"text={'%E2%82%AC' * 342}", "text"),
        ("text=a&text=b", "text"),
        ("text=a&text=a", "text"),
        ("text=a&%74ext=b", "text"),
        ("text=a&format=gif", "format"),
        ("text=a&format=", "format"),
        ("text=a&format=svg&format=svg", "format"),
        ("text=a&scale=0", "scale"),
        ("text=a&scale=21", "scale"),
        ("text=a&scale=-1", "scale"),
        ("text=a&scale=%2B5", "scale"),
        ("text=a&scale=1.5", "scale"),
        ("text=a&scale=1e1", "scale"),
        ("text=a&scale=0x8", "scale"),
        ("text=a&scale=1_0", "scale"),
        ("text=a&scale=+8", "scale"),
        ("text=a&scale=", "scale"),
        ("text=a&scale=%D9%A8", "scale"),
        ("text=a&scale=99999999999999999999", "scale"),
        ("text=a&scale=8&scale=8", "scale"),
    ],
    ids=lambda value: value if len(value) < 40 else f"{value[:20]}... ({len(value)} characters)",
)
def test_a_bad_parameter_is_named(service: Running, query: str, field: str) -> None:
    assert_problem(service.ask(f"/qr?{query}" if query else "/qr"), 400, "invalid-parameter", field)


@pytest.mark.parametrize(("path", "method"), [("/qr", "GET"), ("/nowhere", "GET"), ("/qr", "POST")])
def test_the_headers_of_an_error_name_no_library_either(service: Running, path: str, method: str) -> None:
    told = TALKATIVE.search(str(service.ask(path, method=method).headers))
    assert told is None, told


@pytest.mark.parametrize(
    "path", ["/nowhere", "/qr/", "/qr/x", "/QR", "/healthz/", "/favicon.ico", "/index.html", "/actuator"]
)
def test_an_unknown_path_is_not_found(service: Running, path: str) -> None:
    assert_problem(service.ask(path), 404, "not-found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_an_unknown_path_is_not_found_whatever_the_method(service: Running, method: str) -> None:
    assert_problem(service.ask("/nowhere", method=method), 404, "not-found")


@pytest.mark.parametrize("path", ["/", "/qr?text=a", "/healthz", "/readyz", "/version", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW"])
def test_another_method_is_not_allowed(service: Running, path: str, method: str) -> None:
    answer = service.ask(path, method=method)
    assert_problem(answer, 405, "method-not-allowed")
    assert [name.strip() for name in (answer.header("Allow") or "").split(",")] == ["GET", "HEAD"]


@pytest.mark.parametrize("path", ["/", "/qr?text=a", "/healthz", "/metrics", "/nowhere"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(
    service: Running, path: str, method: str
) -> None:
    answer = service.ask(path, method=method, headers={"Content-Length": str(LIMIT + 1)}, seconds=5)
    assert_problem(answer, 413, "content-too-large", "body")
    assert answer.seconds < 3


def test_a_length_beyond_all_numbers_is_refused(service: Running) -> None:
    answer = service.ask("/qr?text=a", method="POST", headers={"Content-Length": "9" * 30}, seconds=5)
    assert answer.status in {400, 413} or answer.error == "closed", answer


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_in_chunks_is_refused_when_it_has_become_too_large(service: Running, method: str) -> None:
    body = (b"1000\r\n" + b"x" * 4096 + b"\r\n") * 17 + b"0\r\n\r\n"
    answer = service.ask("/qr?text=a", method=method, headers={"Transfer-Encoding": "chunked"}, body=body)
    assert_problem(answer, 413, "content-too-large", "body")


def test_the_largest_body_is_taken(service: Running) -> None:
    assert service.ask("/", body=b"x" * LIMIT).status == 200
    assert_problem(service.ask("/", method="POST", body=b"x" * LIMIT), 405, "method-not-allowed")


@pytest.mark.parametrize(
    "target",
    [
        b"/qr?text=%",
        b"/qr?text=%zz",
        b"/qr?text=a&%zz=1",
        b"/qr?&&==&",
        b"/qr?text=a&x=%FF",
        b"//",
        b"/../../etc/passwd",
        b"/%2e%2e/%2e%2e/etc/passwd",
        b"/qr%00",
        b"/%FF",
        b"/" + b"x" * 9000,
        b"/qr?text=" + b"x" * 60_000,
        b"http://other.example/qr?text=a",
        b"*",
    ],
    ids=lambda value: repr(value[:40]),
)
def test_a_strange_target_is_no_accident(service: Running, target: bytes) -> None:
    answer = service.ask(target)
    assert answer.status < 500, answer
    assert answer.status >= 200 or answer.error == "closed", answer
    if answer.status >= 400:
        assert_discreet(answer)


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nbroken header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x00" * 64,
    ],
    ids=lambda value: repr(value[:40]),
)
def test_what_is_not_http_does_no_harm(service: Running, data: bytes) -> None:
    answer = service.ask(Request(bytes_=data, until_closed=True, seconds=1))
    status = re.match(rb"HTTP/1\.[01] (\d)", answer.body)
    # 505 is the one right answer of that class: to a version of HTTP that nobody speaks.
    assert status is None or status[1] in b"24" or answer.body.startswith(b"HTTP/1.1 505 "), answer.body[:200]
    assert_discreet(replace(answer, body=answer.body.partition(b"\r\n\r\n")[2]))
    assert service.ask("/healthz").status == 200
