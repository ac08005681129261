"""Real private engines in folders of their own, beside whatever else runs on this host."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stageproof.engine import private, processes, rootfs
from stageproof.engine.home import Home, default_home, locked
from stageproof.errors import EngineError

ROOT = Path(__file__).resolve().parents[3]
Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these out where no private engine can be: without root, or outside Debian and Ubuntu."""
    try:
        rootfs.require(default_home())
    except EngineError as error:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=error.seen))


@pytest.fixture(scope="session")
def root_file_system(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a real root file system: the user's own if there is one, else one made now."""
    if rootfs.made(default_home()) is not None:
        return default_home().root
    home = Home(tmp_path_factory.mktemp("r") / "engine")
    with locked(home, lambda: None):
        rootfs.make(home, lambda _: None)
    return home.root


def fill(home: Home, root_file_system: Path) -> None:
    """Give a folder everything that is made for an engine."""
    home.root.parent.mkdir(parents=True)
    # Hard links do: an engine's root file system is mounted read-only.
    command = ["cp", "-al", str(root_file_system), str(home.root)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        processes.delete_tree(home.root)
        subprocess.run(["cp", "-a", str(root_file_system), str(home.root)], check=True)


@pytest.fixture
def new_home(root_file_system: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Home]]:
    """Give folders with everything made and nothing started; whatever starts in them ends with the test."""
    homes: list[Home] = []

    def new() -> Home:
        homes.append(Home(tmp_path_factory.mktemp("x") / "stageproof/engine"))
        fill(homes[-1], root_file_system)
        return homes[-1]

    yield new
    for home in homes:
        private.remove(home)
        processes.delete_tree(home.folder.parent.parent)


@pytest.fixture
def home(new_home: Callable[[], Home]) -> Home:
    """Give one of them."""
    return new_home()


@pytest.fixture
def invoke() -> Run:
    """Run one of our commands as a user does, in a process of its own."""

    def run(home: Home, *words: str, path: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "STAGEPROOF_"))}
        kept |= {"XDG_CACHE_HOME": str(home.folder.parent.parent), "PATH": path or os.environ["PATH"], **environment}
        command = [sys.executable, "-m", "invoke", *words]
        return subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False, timeout=300)

    return run
