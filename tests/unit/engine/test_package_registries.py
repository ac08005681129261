from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from stageproof.engine import package_registries
from stageproof.engine.package_registries import ask_all

Program = Callable[[Path, str], Path]


class NotFound(BaseHTTPRequestHandler):
    """A registry that has no page at its address."""

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), NotFound) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(autouse=True)
def only_programs_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path))


def test_every_client_is_asked_for_its_address_and_none_is_known_here() -> None:
    assert [(one.client, one.asked) for one in ask_all(None)] == [
        (name, False) for name in ("apt", "pip", "npm", "Go", "Maven")
    ]


def test_any_answer_of_a_registry_is_an_answer(tmp_path: Path, program: Program, address: str) -> None:
    program(tmp_path / "bin/npm", f"echo {address}")

    npm = ask_all(None)[2]

    assert (npm.asked, npm.problem) == (True, "")


def test_a_registry_where_nobody_listens_is_a_problem(tmp_path: Path, program: Program) -> None:
    program(tmp_path / "bin/go", "echo http://127.0.0.1:9/,direct")

    assert ask_all(None)[3].problem == "ConnectionError"


def test_a_client_that_fails_is_not_asked(tmp_path: Path, program: Program) -> None:
    program(tmp_path / "bin/npm", "exit 1")

    assert not ask_all(None)[2].asked


def test_pips_configured_index_goes_before_its_own(tmp_path: Path, program: Program) -> None:
    program(tmp_path / "bin/python3", "echo \"global.index-url='http://index.example/simple'\"")

    assert package_registries.pip() == "http://index.example/simple"


def test_mavens_mirror_goes_before_its_own_repository(tmp_path: Path, program: Program) -> None:
    program(tmp_path / "maven/bin/mvn", "exit 0")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/mvn").symlink_to(tmp_path / "maven/bin/mvn")
    (tmp_path / "maven/lib").mkdir()
    with zipfile.ZipFile(tmp_path / "maven/lib/maven-model-builder-3.9.jar", "w") as jar:
        jar.writestr("org/apache/maven/model/pom-4.0.0.xml", "<repository><url>http://own.example</url></repository>")

    assert package_registries.maven() == "http://own.example"

    (tmp_path / ".m2").mkdir()
    settings = (
        "<!-- <mirror><url>http://comment</url></mirror> --><mirror>\n<url> http://mirror.example </url></mirror>"
    )
    (tmp_path / ".m2/settings.xml").write_text(settings)

    assert package_registries.maven() == "http://mirror.example"
