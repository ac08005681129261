"""Targets without a shell, and `stageproof debug` as a person types it: in a terminal, or in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import docker
import pytest

from stageproof.engine import record
from stageproof.errors import NothingBuiltError
from stageproof.live import Container, Options, Run, remove_run
from stageproof.live.container import start

SECONDS = 60
COMMAND = [str(Path(sys.executable).with_name("stageproof")), "debug"]
CONTROLLED = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
"""Takes the terminal as the controlling one of its session, so that closing it hangs up, and becomes the command."""
HARDENED = {
    "read_only": True,
    "drop_capabilities": True,
    "no_new_privileges": True,
    "user": "1234567:0",
}


@pytest.fixture(scope="session")
def run(client: docker.DockerClient) -> Iterator[Run]:
    """Give this worker's labels, and see to it that nothing of it is left."""
    run = Run.new()
    yield run
    assert remove_run(client, run.id) == [], "a test left a container behind"


@pytest.fixture
def started(client: docker.DockerClient, run: Run, root: Path) -> Iterator[Callable[..., Container]]:
    """Start an image without a shell, as asked; it is removed when the test is over."""
    kept, engine = record.read(root), str(client.info()["ID"])
    containers: list[Container] = []

    def start_(recipe: str = "go-distroless", **options: object) -> Container:
        given = replace(Options(), **options)  # type: ignore[arg-type]
        try:
            image = record.require(kept, recipe, engine).digest
        except NothingBuiltError as error:
            pytest.skip(str(error))
        containers.append(start(client, image, run, given))
        return containers[-1]

    yield start_
    for container in containers:
        container.remove()


@pytest.fixture
def target(started: Callable[..., Container]) -> Container:
    """Give the hardest of them: read-only, without capabilities, as a user that it does not know."""
    return started(**HARDENED)


def piped(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run `stageproof debug` in a pipe."""
    return subprocess.run([*COMMAND, *words], input=stdin, capture_output=True, timeout=SECONDS, check=False)


@dataclass
class Terminal:
    """A person at a terminal."""

    pid: int
    master: int
    seen: bytes = b""
    _read: int = 0
    ended: int | None = field(default=None)

    def type(self, text: str) -> None:
        """Type, as keys."""
        os.write(self.master, text.encode())

    def shows(self, text: str, seconds: float) -> bool:
        """Wait until something more is shown, at most so many seconds, and tell whether it was."""
        deadline = time.monotonic() + seconds
        while text.encode() not in self.seen[self._read :]:
            if not select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return False
            try:
                piece = os.read(self.master, 65536)
            except OSError:  # the other side of the terminal is closed
                piece = b""
            assert piece, f"it ended before {text!r} was shown: {self.seen!r}"
            self.seen += piece
        return True

    def wait_for(self, text: str) -> str:
        """Wait until something more is shown, and give all that came up to it."""
        assert self.shows(text, SECONDS), f"{text!r} was not shown: {self.seen!r}"
        place = self.seen.index(text.encode(), self._read)
        shown = self.seen[self._read : place]
        self._read = place + len(text)
        return shown.decode()

    def resize(self, lines: int, columns: int) -> None:
        """Make the window larger or smaller."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def close(self) -> None:
        """Close the window: the kernel tells the session so."""
        os.close(self.master)
        self.master = -1

    def wait(self) -> int:
        """Wait for the end, and give the exit code; what is shown meanwhile is read."""
        deadline = time.monotonic() + SECONDS
        while self.ended is None:
            self._show()
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.ended = os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, f"it did not end: {self.seen!r}"
        return self.ended

    def _show(self) -> None:
        if select.select([self.master] if self.master >= 0 else [], [], [], 0.05)[0]:
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:  # the other side is closed, and the end is near
                time.sleep(0.01)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Open a terminal of 24 lines and 80 columns, and start `stageproof debug` in it."""
    opened: list[Terminal] = []

    def open_(*words: str) -> Terminal:
        master, slave = pty.openpty()
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-c", CONTROLLED, *COMMAND, *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env=os.environ | {"TERM": "xterm"},
        )
        os.close(slave)
        process.returncode = 0  # waited for by its number
        opened.append(Terminal(process.pid, master))
        return opened[-1]

    yield open_
    for each in opened:
        if each.ended is None:
            os.kill(each.pid, 9)
            os.waitpid(each.pid, 0)
        if each.master >= 0:
            each.close()
