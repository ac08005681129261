"""The private engine: a newer dockerd in its own folder, started where no other engine is found."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import cast

from docker.errors import DockerException

import stageproof
from stageproof.engine import client, network, processes, rootfs
from stageproof.engine import supervisor as supervising
from stageproof.engine.client import Engine, Store
from stageproof.engine.home import LONGEST_SOCKET, Home, default_home, locked, tail, wait_until
from stageproof.errors import DiskFullError, EngineDiedError, EngineError, UsageError

Progress = Callable[[str], None]

START_SECONDS = 60
STOP_SECONDS = 40
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
RESOLVERS = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))


@dataclass(frozen=True)
class Status:
    """What there is of the private engine."""

    home: Home
    made: rootfs.Made | None
    supervisor: int | None
    daemon: int | None
    answers: bool
    store: Store | None
    pool: str

    def lines(self) -> list[str]:
        """Tell it to people, a fact a line."""
        if self.made is None:
            return [f"private engine  not made ({self.home.folder})"]
        state = f"answers at {self.home.host}" if self.answers else "starting" if self.supervisor else "stopped"
        lines = [
            f"private engine  {state}",
            f"made from       Debian {self.made.suite}: Docker Engine {self.made.engine}, buildx {self.made.buildx}",
            f"files           {self.home.folder}",
        ]
        if self.supervisor:
            lines += [
                f"processes       supervisor {self.supervisor}, dockerd {self.daemon or '(starting)'}",
                f"addresses       {self.pool} on {self.home.bridge}",
                f"image store     {self.store or 'unknown'}",
            ]
        return [*lines, f"log             {self.home.log}"]


def quiet(_: str) -> None:
    """Say nothing."""


def wanted_store(environment: Mapping[str, str] = os.environ) -> Store | None:
    """Give the image store asked for, if any: containerd can do attestations, classic exports nine times faster."""
    asked = environment.get("STAGEPROOF_IMAGE_STORE")
    return store_named(asked, "STAGEPROOF_IMAGE_STORE") if asked else None


def store_named(name: str, asked_by: str) -> Store:
    """Check the name of an image store."""
    if name in {"classic", "containerd"}:
        return cast("Store", name)
    failed = f"{asked_by}: there is no image store {name!r}"
    raise UsageError(failed, do="take classic or containerd")


def start(progress: Progress = quiet, *, store: Store | None = None, home: Home | None = None) -> Engine:
    """Start the engine unless it runs; make it first if need be. Two commands at once start one engine."""
    home = home or default_home()
    wanted = store or wanted_store()
    rootfs.require_root()
    with locked(home, lambda: progress("waiting for another command that starts or stops the private engine")):
        running = _running(home)
        if running is not None and wanted in {None, running.store}:
            return running
        if running is not None:
            progress(
                f"private engine: from the {running.store} image store to the {wanted} one; each has its own images"
            )
        _require_short(home)
        made = rootfs.make(home, progress)
        _stop(home)
        began = time.monotonic()
        _launch(home, wanted or "classic")
        engine = _wait(home)
        progress(f"private engine {engine.version} ({made.suite}), started in {time.monotonic() - began:.1f} s")
        return engine


def find(home: Home | None = None) -> Engine | None:
    """Give the engine if it runs; while it is restarted, wait for it."""
    home = home or default_home()
    return _running(home) if os.geteuid() == 0 else None


def stop(home: Home | None = None) -> bool:
    """Stop the engine and its containers; its images stay. Tells whether there was anything to stop."""
    home = home or default_home()
    if not home.folder.exists():
        return False
    rootfs.require_root()
    with locked(home, _nothing):
        return _stop(home)


def remove(home: Home | None = None) -> bool:
    """Stop the engine and delete everything of it. Tells whether there was anything."""
    home = home or default_home()
    if not home.folder.exists():
        return False
    rootfs.require_root()
    with locked(home, _nothing):
        _stop(home, signal.SIGKILL)
        processes.delete_tree(home.folder)
        home.folder.with_name("engine.lock").unlink()
    if not any(home.folder.parent.iterdir()):
        home.folder.parent.rmdir()
    return True


def status(home: Home | None = None) -> Status:
    """Tell what there is, without changing anything."""
    home = home or default_home()
    settings = _settings(home)
    answer = _answer(home)
    return Status(
        home=home,
        made=rootfs.made(home),
        supervisor=processes.supervisor(home),
        daemon=processes.daemon(home),
        answers=answer is not None,
        store=answer.store if answer else None,
        pool=str(settings.get("pool", "")),
    )


def _nothing() -> None:
    """Wait in silence."""


def _settings(home: Home) -> dict[str, object]:
    try:
        return dict(json.loads((home.run / "settings.json").read_text()))
    except (OSError, ValueError):
        return {}


def _pool(home: Home) -> IPv4Network | None:
    text = _settings(home).get("pool")
    return IPv4Network(text) if isinstance(text, str) else None


def _answer(home: Home) -> client.Answer | None:
    try:
        return client.ask("private", home.host) if home.socket.exists() else None
    except (DockerException, OSError):
        return None


def _running(home: Home) -> Engine | None:
    """Give the engine if its supervisor lives; one that is just being restarted gets its time."""
    if processes.supervisor(home) is None:
        return None
    answer = _answer(home)
    if answer is None:
        wait_until(lambda: _answer(home) is not None or processes.supervisor(home) is None, START_SECONDS)
        answer = _answer(home)
    if answer is None:
        return None
    return Engine("private", home.host, answer.version, answer.api, (str(home.buildx),), answer.store)


def _require_short(home: Home) -> None:
    if len(os.fsencode(home.socket)) > LONGEST_SOCKET:
        failed = "the path of the private engine's socket is too long"
        raise EngineError(
            failed, seen=str(home.socket), why="the kernel takes 107 bytes", do="set XDG_CACHE_HOME to a shorter one"
        )


def _launch(home: Home, store: Store) -> None:
    """Choose the addresses, write the settings, and let the supervisor go its own way."""
    home.run.mkdir(parents=True, exist_ok=True)
    try:
        pool = network.free_range(home, _pool(home))
    except network.NetworkError as error:
        raise _died(home, str(error)) from error
    _write(home, "settings.json", json.dumps({"pool": str(pool)}))
    _write(home, "daemon.json", json.dumps(supervising.daemon_settings(home, pool, store), indent=1))
    _write(home, "resolv.conf", resolver_settings())
    bundle = Path(os.environ.get("STAGEPROOF_CA_FILE") or CA_BUNDLE)
    if bundle.is_file():
        shutil.copyfile(bundle, home.run / "ca.crt")
    packages = str(Path(stageproof.__file__).parent.parent)
    with home.log.open("w") as log:
        subprocess.run(
            [sys.executable, "-m", processes.SUPERVISOR, str(home.folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": packages},
            check=True,
        )


def _write(home: Home, name: str, text: str) -> None:
    try:
        (home.run / name).write_text(text)
    except OSError as error:
        failed = f"{home.run / name} cannot be written"
        raise DiskFullError(failed, seen=str(error), do="make room, or set XDG_CACHE_HOME to a larger disk") from error


def resolver_settings() -> str:
    """Read the resolver's configuration: not a stub on the loopback, which no container reaches."""
    texts = [path.read_text() for path in RESOLVERS if path.exists()]
    return next((text for text in texts if "nameserver 127." not in text), texts[-1] if texts else "")


def _wait(home: Home) -> Engine:
    """Wait until the engine answers, or say why it does not."""
    wait_until(lambda: _answer(home) is not None or processes.supervisor(home) is None, START_SECONDS)
    engine = _running(home)
    if engine is not None:
        return engine
    seen = tail(home.log)
    _stop(home)
    raise _died(home, f"{seen}\n(last lines; whole log: {home.log})")


def _died(home: Home, seen: str) -> EngineError:
    failed = "the private engine did not start"
    why = "images are built and run by an engine"
    if "no space left on device" in f"{seen}{tail(home.log, 100)}".lower():
        return DiskFullError(
            failed, seen=seen, why=why, do="make room, or set XDG_CACHE_HOME to a larger disk; docs/engine.md"
        )
    return EngineDiedError(
        failed, seen=seen, why=why, do="invoke doctor; or start Docker, or set DOCKER_HOST; docs/engine.md"
    )


def _stop(home: Home, first: signal.Signals = signal.SIGTERM) -> bool:
    """Stop what runs, and clear what an engine that was killed left behind. SIGTERM gives containers 10 s to end."""
    pid = processes.supervisor(home)
    if pid is not None:
        os.kill(pid, first)
        wait_until(lambda: processes.supervisor(home) is None, STOP_SECONDS)
        if processes.supervisor(home) is not None:
            os.kill(pid, signal.SIGKILL)
    found = pid is not None or bool(processes.left(home))
    processes.end(home)
    if home.root.exists():
        network.remove_rules(home)
        network.remove_bridges(home, _pool(home))
    processes.clear_cgroups(home)
    for name in ("docker.sock", "dockerd.pid", "supervisor.pid"):  # what a living engine has
        (home.run / name).unlink(missing_ok=True)
    return found
