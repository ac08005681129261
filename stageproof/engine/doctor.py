"""What is here, what is missing, what to type: looked at, not changed. Printing is the caller's."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests

from stageproof.engine import buildx, ca, find, package_registries, private, registry, rootfs
from stageproof.engine.client import Engine
from stageproof.engine.home import Home, default_home
from stageproof.errors import EngineDiedError, EngineError, Error, UsageError

GOOD, BAD, NONE = "✔", "✘", "–"
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Line:
    """One thing that was looked for."""

    mark: str
    """Good, bad, or a dash: not here, and not needed."""
    name: str
    found: str = ""
    do: str = ""
    exit_code: int = 0
    """What a command that needs this would end with."""


def examine(references: Sequence[str] = (), home: Home | None = None) -> list[Line]:
    """Look at everything that a build needs; the last line is the answer.

    `references` are the bases to ask container registries for.
    """
    home = home or default_home()
    with ThreadPoolExecutor(max_workers=2) as pool:
        packages = pool.submit(_packages)
        seen = find.look(find.place())
        engine, problem = _chosen(home)
        containers = pool.submit(_registries, references, engine)
        lines = [_python(), _cli(), _buildx(home), _engine(seen), _private(home, engine)]
        lines += [_disk(home), containers.result(), packages.result(), _ca()]
    return [*lines, _answer(home, engine, problem)]


def _python() -> Line:
    good = sys.version_info >= OLDEST_PYTHON
    return Line(
        GOOD if good else BAD, f"Python {platform.python_version()}", do="" if good else "install Python 3.11 or newer"
    )


def _cli() -> Line:
    path = shutil.which("docker")
    if path is None:
        return Line(NONE, "Docker CLI", "not in PATH", "not needed: Stageproof talks to the engine itself")
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return Line(
            NONE, "Docker CLI", f"{path} does not run: {error}", "not needed: Stageproof talks to the engine itself"
        )
    return Line(GOOD, f"Docker CLI {said.removeprefix('Docker version ').partition(',')[0].strip()}")


def _buildx(home: Home) -> Line:
    try:
        found = buildx.find(home)
    except EngineError as error:
        if _obstacle(home) is None:
            return Line(NONE, "buildx", error.seen.replace("\n", "; "), "the private engine brings its own")
        return Line(BAD, "buildx", error.seen.replace("\n", "; "), error.do, error.exit_code)
    by = "the private engine's" if found.command == (str(home.buildx),) else " ".join(found.command)
    return Line(GOOD, f"buildx {found.version}", by)


def _engine(seen: find.Look) -> Line:
    at = seen.place
    named = at.name if at.chosen else f"DOCKER_HOST not set, no context chosen; {at.name}"
    if seen.answer is not None:
        return Line(GOOD, f"engine {seen.answer.version}", f"{named}, {seen.answer.store} image store")
    if at.chosen:
        code = (seen.error or EngineDiedError("")).exit_code
        return Line(BAD, "engine", f"{named}: {seen.problem}", "start it, or unset what names it", code)
    return Line(NONE, "engine", f"{named}: {seen.problem}")


def _obstacle(home: Home) -> EngineError | None:
    try:
        rootfs.require(home)
    except EngineError as error:
        return error
    return None


def _private(home: Home, engine: Engine | None) -> Line:
    status = private.status(home)
    if status.answers and status.made:
        return Line(GOOD, f"private engine {status.made.engine}", f"runs, at {home.host}")
    obstacle = _obstacle(home)
    if obstacle is not None:
        needed = engine is None
        return Line(BAD if needed else NONE, "private engine", obstacle.seen, obstacle.do if needed else "not needed")
    if status.made:
        return Line(
            GOOD, f"private engine {status.made.engine}", f"made from Debian {status.made.suite}, stopped", "about 2 s"
        )
    where = f"can be made here: root, {rootfs.distribution()}"
    return Line(GOOD, "private engine", where, "about 30 s" if engine is None else "not needed")


def _disk(home: Home) -> Line:
    there = next(one for one in (home.folder, *home.folder.parents) if one.exists())
    free = shutil.disk_usage(there).free
    text = f"{free / 1e9:.0f} GB free for {home.folder}"
    good = free >= rootfs.BYTES_NEEDED
    return Line(
        GOOD if good else BAD, "disk", text, "" if good else "make room, or set XDG_CACHE_HOME to a larger disk"
    )


def _registries(references: Sequence[str], engine: Engine | None) -> Line:
    """Ask through the engine, since it pulls; before there is one, from here."""
    asked = {registry.host(reference): reference for reference in references}
    if not asked:
        return Line(NONE, "container registries", "no base named, so none asked")
    answering = registry.reachable(references, engine) if engine is not None else _reachable(list(asked))
    silent = sorted(set(asked) - answering)
    if not answering:
        return Line(NONE, "container registries", "none answers: stand-ins will be used")
    if silent:
        return Line(NONE, "container registries", f"no answer from {', '.join(silent)}: stand-ins for its bases")
    return Line(GOOD, "container registries", f"{', '.join(sorted(answering))} answer")


def _reachable(hosts: Sequence[str]) -> frozenset[str]:
    def answers(host: str) -> bool:
        try:
            requests.head(f"https://{host}/v2/", timeout=registry.SECONDS, allow_redirects=False).close()
        except (requests.RequestException, OSError):
            return False
        return True

    with ThreadPoolExecutor(max_workers=len(hosts)) as pool:
        return frozenset(host for host, answer in zip(hosts, pool.map(answers, hosts), strict=True) if answer)


def _packages() -> Line:
    try:
        company = ca.find()
    except UsageError:
        company = None
    asked = package_registries.ask_all(company.bundle if company else None)
    good = [one.client for one in asked if one.asked and not one.problem]
    bad = [f"{one.client} ({one.problem})" for one in asked if one.problem]
    unknown = [one.client for one in asked if not one.asked]
    parts = [f"{', '.join(good)} answer" if good else "", f"{', '.join(bad)} do not" if bad else ""]
    parts.append(f"{', '.join(unknown)}: no client here, not asked" if unknown else "")
    do = "check the network; behind a company proxy set STAGEPROOF_CA_FILE" if bad else ""
    return Line(
        BAD if bad else GOOD if good else NONE, "package registries", "; ".join(part for part in parts if part), do
    )


def _ca() -> Line:
    try:
        found = ca.find()
    except UsageError as error:
        return Line(BAD, "company CA", error.failed, error.do, error.exit_code)
    if found is None:
        return Line(NONE, "company CA", "none named", f"behind a TLS proxy: set {ca.VARIABLE}")
    return Line(GOOD, "company CA", f"{found.bundle} ({found.named_by}); goes into builder bases only")


def _chosen(home: Home) -> tuple[Engine | None, Error | None]:
    try:
        return find.find(home), None
    except EngineError as error:
        return None, error


def _answer(home: Home, engine: Engine | None, problem: Error | None) -> Line:
    """Say what will be used, and what to type."""
    next_step = "make build-all test-all"
    if engine is not None:
        return Line(GOOD, "ready", f"{engine.title} is used", next_step)
    obstacle = _obstacle(home)
    if problem is not None and (problem.exit_code not in _CURED_BY_OWN_BUILDX or obstacle is not None):
        return Line(BAD, "not ready", problem.failed, problem.do, problem.exit_code)
    if obstacle is not None:
        return Line(BAD, "not ready", "no engine, and none can be started here", obstacle.do, obstacle.exit_code)
    return Line(
        GOOD,
        "ready",
        "the private engine will be used" if problem is None else "with the private engine's buildx",
        next_step,
    )


_CURED_BY_OWN_BUILDX = {15, 18}
