"""Where the private engine keeps its files, and the names that follow from it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LONGEST_SOCKET = 100
"""Bytes of a socket's path; the kernel's limit is 107."""


@dataclass(frozen=True)
class Home:
    """One folder of one private engine. Two folders are two engines that share nothing."""

    folder: Path

    @property
    def key(self) -> str:
        """Eight digits that tell this engine's bridge, rules and processes from another's."""
        return hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:8]

    @property
    def bridge(self) -> str:
        """The bridge; the kernel allows 15 characters."""
        return f"sproof-{self.key}"

    @property
    def cgroup(self) -> str:
        """The parent of every container's control group."""
        return f"stageproof-{self.key}"

    @property
    def root(self) -> Path:
        """The root file system that dockerd runs in."""
        return self.folder / "root"

    @property
    def data(self) -> Path:
        """Images, containers, volumes, build cache."""
        return self.folder / "data"

    @property
    def run(self) -> Path:
        """The socket, process numbers and settings of a running engine."""
        return self.folder / "run"

    @property
    def socket(self) -> Path:
        """Where the engine answers."""
        return self.run / "docker.sock"

    @property
    def host(self) -> str:
        """The same, as DOCKER_HOST writes it."""
        return f"unix://{self.socket}"

    @property
    def buildx(self) -> Path:
        """The buildx of the root file system; it needs only libc, so it runs on the host too."""
        return self.root / "usr/libexec/docker/cli-plugins/docker-buildx"

    @property
    def log(self) -> Path:
        """What the supervisor and dockerd said since the last start."""
        return self.folder / "engine.log"

    @property
    def make_log(self) -> Path:
        """What the making of the root file system said."""
        return self.folder / "make.log"


def default_home(environment: Mapping[str, str] = os.environ) -> Home:
    """Give the user's own: `stageproof/engine` in the cache folder of the XDG rules."""
    cache = environment.get("XDG_CACHE_HOME", "")
    base = Path(cache) if cache.startswith("/") else Path(environment.get("HOME") or "~").expanduser() / ".cache"
    return Home(base / "stageproof" / "engine")


@contextmanager
def locked(home: Home, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the only right to make, start, stop or remove this engine; `waiting` is called once if another has it."""
    path = home.folder.with_name("engine.lock")
    told = False
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    waiting()
                    told = True
                fcntl.flock(lock, fcntl.LOCK_EX)
            # Whoever removed the engine removed the lock file too: then this lock is on a file that nobody else sees.
            if path.exists() and path.stat().st_ino == os.fstat(lock.fileno()).st_ino:
                yield
                return


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for the condition, at most so many seconds, and tell whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.03)
    return True


def tail(path: Path, lines: int = 10) -> str:
    """Give the last lines of a log, or nothing where there is none."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - 20_000))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
