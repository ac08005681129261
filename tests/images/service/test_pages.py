"""What the service answers to people, probes and dashboards."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from stageproof.live import Live
from stageproof.live.session import Running
from stageproof.model import Recipe

PAGES = ("/", "/qr?text=page", "/healthz", "/readyz", "/version", "/metrics", "/qr", "/no-such-page")
OTHER_PORT = 9191


class Form(HTMLParser):
    """Finds the form and the names of its fields."""

    def __init__(self) -> None:
        super().__init__()
        self.form: dict[str, str | None] = {}
        self.names: set[str | None] = set()
        self.titles = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.titles += tag == "title"
        if tag == "form":
            self.form = found
        if tag in {"input", "select", "textarea"}:
            self.names.add(found.get("name"))


def test_the_start_page_is_html_with_a_form_for_codes(service: Running) -> None:
    answer = service.ask("/")
    assert answer.status == 200
    assert (answer.header("Content-Type") or "").replace(" ", "").lower() == "text/html;charset=utf-8"
    page = Form()
    page.feed(answer.text)
    assert page.form["action"] == "/qr"
    assert (page.form.get("method") or "get").lower() == "get"
    assert page.names >= {"text", "format", "scale"}
    assert page.titles


@pytest.mark.parametrize(("path", "status"), [("/healthz", "ok"), ("/readyz", "ready")])
def test_a_probe_is_answered_with_its_status(service: Running, path: str, status: str) -> None:
    answer = service.ask(path)
    assert (answer.status, answer.media_type, answer.json()) == (200, "application/json", {"status": status})


def test_the_version_says_what_runs(service: Running, recipe: Recipe, live: Live) -> None:
    answer = service.ask("/version")
    said = answer.json()
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert set(said) == {"stack", "version", "commit", "built", "runtime"}
    assert all(isinstance(value, str) and value for value in said.values())
    assert said["stack"] == recipe.stack.name
    assert said["version"] == live.labels["org.opencontainers.image.version"]


def test_the_version_comes_from_the_environment(other: Running) -> None:
    said = other.ask("/version", port=OTHER_PORT).json()
    assert (said["version"], said["commit"], said["built"]) == ("9.8.7-ä", "c0ffee", "2001-02-03T04:05:06Z")


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_has_a_length_and_forbids_guessing_its_type(service: Running, path: str) -> None:
    answer = service.ask(path)
    assert answer.header("Content-Length") == str(len(answer.body))
    assert answer.header("X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize("path", [path for path in PAGES if not path.startswith("/qr")])
def test_what_changes_is_not_stored_by_caches(service: Running, path: str) -> None:
    assert service.ask(path).header("Cache-Control") == "no-store"


@pytest.mark.parametrize("form", ["svg", "png"])
def test_a_code_may_be_stored_for_a_day(service: Running, form: str) -> None:
    assert service.ask(f"/qr?text=cache&format={form}").header("Cache-Control") == "public, max-age=86400"


@pytest.mark.parametrize("path", PAGES)
def test_head_is_answered_like_get_without_the_body(service: Running, path: str) -> None:
    get, head = service.ask(path), service.ask(path, method="HEAD")
    assert head.status == get.status
    for name in ("Content-Type", "Cache-Control", "X-Content-Type-Options"):
        assert head.header(name) == get.header(name)
    if path != "/metrics":  # its length changes with every request
        assert head.header("Content-Length") in {None, get.header("Content-Length")}
    everything = service.ask(path, method="HEAD", until_closed=True).body
    assert everything.partition(b"\r\n\r\n")[2] == b""


def test_it_answers_on_ipv4_and_on_ipv6(service: Running) -> None:
    assert service.ask("/healthz", address="127.0.0.1").status == 200
    assert service.ask("/healthz", address="::1").status == 200
