"""A project that is not this one: its own folder, its own tests, no conftest, and pytest as its users start it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from stageproof.engine import record
from stageproof.engine.client import Engine
from stageproof.errors import NothingBuiltError

SECONDS = 180


@dataclass(frozen=True)
class Ran:
    """What a run of pytest gave."""

    code: int
    output: str
    outcomes: dict[str, str]
    """By the test's name: passed, failed, error or skipped."""


@dataclass(frozen=True)
class Project:
    """A folder with tests."""

    folder: Path
    environment: dict[str, str]

    def write(self, name: str, source: str) -> None:
        """Write a file of it."""
        (self.folder / name).write_text(textwrap.dedent(source), encoding="utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start pytest in it."""
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def pytest(self, *arguments: str) -> Ran:
        """Run pytest in it."""
        report = self.folder / "report.xml"
        with self.start(f"--junitxml={report}", *arguments) as process:
            output, _ = process.communicate(timeout=SECONDS)
        cases = ET.parse(report).iter("testcase") if report.exists() else ()  # noqa: S314 -- our own run wrote it
        outcomes = {str(case.get("name")): _outcome(case) for case in cases}
        return Ran(process.returncode, output, outcomes)


def _outcome(case: ET.Element) -> str:
    kinds = {"failure": "failed", "error": "error", "skipped": "skipped"}
    return next((kinds[child.tag] for child in case if child.tag in kinds), "passed")


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> Project:
    """Give a folder with a pytest of its own, and a cache of its own: what it reads, nobody has read before."""
    environment = {
        name: value
        for name, value in engine.environment().items()
        if not name.startswith(("PYTEST_", "COV_", "COVERAGE_"))
    }
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    own = {"DOCKER_HOST": engine.host, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return Project(tmp_path, environment | own)


@pytest.fixture(scope="session")
def digest(root: Path, client: docker.DockerClient) -> Callable[[str], str]:
    """Give the id of a built recipe."""
    kept, engine = record.read(root), str(client.info()["ID"])

    def digest_(recipe: str) -> str:
        try:
            return record.require(kept, recipe, engine).digest
        except NothingBuiltError as error:
            return pytest.skip(str(error))

    return digest_
