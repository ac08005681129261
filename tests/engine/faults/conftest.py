"""A private engine of the tests' own, that may be killed, stopped and filled, and commands that use it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from stageproof import helper
from stageproof.engine import find, private, processes, rootfs
from stageproof.engine.home import Home, default_home
from stageproof.errors import EngineError, HelperError
from stageproof.live import Run
from tests.engine.private.conftest import fill
from tests.engine.private.conftest import root_file_system as root_file_system  # noqa: PLC0414 -- a fixture of here too

SERVICE = "service:1"
DOCKERFILE = """\
FROM scratch
COPY --from={helper} /tools/busybox /busybox
EXPOSE 8080
USER 65532:65532
ENTRYPOINT ["/busybox", "httpd", "-f", "-p", "8080"]
"""
CONTRACT = "[claims]\nports-match = {}\nlistens-everywhere = {}\nnon-root-user = {}\n"
CLAIMS = 3
COMMAND = "from stageproof.cli import main; main()"


@dataclass(frozen=True)
class Lab:
    """An engine that nobody else uses, with a small service and the helper in it."""

    home: Home
    folder: Path
    """The commands' own: their temporary files, and the contract."""

    @property
    def cache(self) -> Path:
        """Give the folder of remembered layers."""
        return self.home.folder.parent / "layers"

    def start(self) -> None:
        """Start the engine unless it runs."""
        private.start(home=self.home)

    @contextmanager
    def client(self) -> Iterator[docker.DockerClient]:
        """Open a client of it."""
        opened = private.start(home=self.home).connect()
        try:
            yield opened
        finally:
            opened.close()

    def environment(self, host: str = "", **more: str) -> dict[str, str]:
        """Give the environment of a command that uses it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "STAGEPROOF_"))}
        # The engine's own cache folder, since buildx is found there too.
        own = {"XDG_CACHE_HOME": str(self.home.folder.parent.parent), "TMPDIR": str(self.folder / "tmp")}
        return {**kept, **own, "DOCKER_HOST": host or self.home.host, **more}

    def verify(self, *words: str, host: str = "", code: str = COMMAND, **more: str) -> subprocess.Popen[str]:
        """Begin `stageproof verify` of the service, run, in a process of its own."""
        contract = str(self.folder / "contract.toml")
        command = [sys.executable, "-c", code, "verify", SERVICE, "--run", "--contract", contract, *words]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment(host, **more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kill(self) -> None:
        """Kill the engine, and before it whoever would start it again."""
        for pid in (processes.supervisor(self.home), processes.daemon(self.home)):
            if pid is not None:
                os.kill(pid, signal.SIGKILL)


def ended(process: subprocess.Popen[str], seconds: float = 60) -> tuple[int, str, str]:
    """Wait for a command; give its exit code and what it said. It is killed when that takes too long."""
    try:
        out, err = process.communicate(timeout=seconds)
    finally:
        process.kill()
    return process.returncode, out, err


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these out where no private engine can be: without root, or outside Debian and Ubuntu."""
    try:
        rootfs.require(default_home())
    except EngineError as error:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=error.seen))


@pytest.fixture(scope="session")
def laboratory(
    root_file_system: Path, client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """Make the engine, and bring the helper image and the service into it."""
    home = Home(tmp_path_factory.mktemp("f") / "stageproof/engine")
    lab = Lab(home, tmp_path_factory.mktemp("lab"))
    (lab.folder / "tmp").mkdir()
    (lab.folder / "contract.toml").write_text(CONTRACT, encoding="utf-8")
    try:
        fill(home, root_file_system)
        image = client.images.get(helper_image(client))
        with lab.client() as opened:
            opened.images.load(b"".join(image.save()))
            opened.images.get(str(image.id)).tag(helper.NAME)
            build = DOCKERFILE.format(helper=helper.NAME)
            opened.images.build(fileobj=io.BytesIO(build.encode()), tag=SERVICE, rm=True)
        yield lab
    finally:
        private.remove(home)
        processes.delete_tree(home.folder.parent.parent)


def helper_image(client: docker.DockerClient) -> str:
    """Give the helper image of this version from the engine of all tests."""
    try:
        return helper.ensure(client, lambda: find.ensure(lambda _: None), Run.new())
    except HelperError as error:
        return pytest.skip(f"no helper image: {error}")


@pytest.fixture
def lab(laboratory: Lab) -> Lab:
    """Give the engine, running, whatever the test before did to it."""
    laboratory.start()
    return laboratory
