"""What every tier shares."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import docker
import hypothesis
import pytest

from stageproof import catalog
from stageproof.catalog import Catalog
from stageproof.engine import find
from stageproof.engine.client import Engine

ROOT = Path(__file__).resolve().parent.parent
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # In the background of a script it is ignored, and what the tests start would ignore it too: Ctrl-C is asked for.
    signal.signal(signal.SIGINT, signal.default_int_handler)
# The same examples each time, so that a red run is about the change; fuzz/ looks for new ones.
hypothesis.settings.register_profile("the same each time", derandomize=True, deadline=None)
hypothesis.settings.load_profile("the same each time")


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def project() -> Catalog:
    """Give the project's own folders, read."""
    return catalog.read(ROOT)


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Give an engine: found, or the private one."""
    return find.ensure(lambda _: None)


@pytest.fixture(scope="session")
def client(engine: Engine) -> Iterator[docker.DockerClient]:
    """Give a client of that engine."""
    opened = engine.connect()
    yield opened
    opened.close()
