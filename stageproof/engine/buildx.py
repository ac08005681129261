"""Where buildx is. None is needed on the host: the private engine's runs there too."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stageproof.engine.client import number
from stageproof.engine.home import Home
from stageproof.errors import BuildxMissingError, DockerCliError, EngineError, EngineTooOldError

OLDEST = (0, 10)
WHY = "images are built by buildx 0.10 or newer (named contexts)"
DO = "install Docker's package docker-buildx (Debian) or docker-buildx-plugin; docs/engine.md"
SYSTEM_FOLDERS = (
    *("/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins"),
    *("/usr/lib/docker/cli-plugins", "/usr/libexec/docker/cli-plugins"),
)


@dataclass(frozen=True)
class Buildx:
    """One buildx: its command, and what it says of itself."""

    command: tuple[str, ...]
    version: str

    @property
    def new_enough(self) -> bool:
        """Tell whether it takes named contexts. A version without a number is a developer's own build: taken."""
        found = number(self.version)
        return found is None or found >= OLDEST


def commands(home: Home, environment: Mapping[str, str] = os.environ) -> Iterator[tuple[str, ...]]:
    """List what may be buildx: the CLI's, then a plug-in by itself, then the private engine's."""
    path = environment.get("PATH", os.defpath)
    if (cli := shutil.which("docker", path=path)) is not None:
        yield (cli, "buildx")
    own = environment.get("DOCKER_CONFIG") or str(Path(environment.get("HOME") or "~").expanduser() / ".docker")
    files = [Path(folder) / "docker-buildx" for folder in (f"{own}/cli-plugins", *SYSTEM_FOLDERS)]
    files += [Path(found) for name in ("docker-buildx", "buildx") if (found := shutil.which(name, path=path))]
    yield from ((str(file),) for file in (*files, home.buildx) if os.access(file, os.X_OK))


def ask(command: tuple[str, ...]) -> Buildx | None:
    """Ask a buildx for its version; nothing if it is none."""
    try:
        done = subprocess.run([*command, "version"], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"\S*buildx\s+(\S+)", done.stdout)
    return Buildx(command, found[1]) if done.returncode == 0 and found else None


def find(home: Home, environment: Mapping[str, str] = os.environ) -> Buildx:
    """Give the first buildx that is new enough, or raise what is wrong with those there are."""
    tried = []
    for command in commands(home, environment):
        found = ask(command)
        if found is not None and found.new_enough:
            return found
        tried.append((command, found))
    raise _missing(tried)


def _missing(tried: list[tuple[tuple[str, ...], Buildx | None]]) -> EngineError:
    failed = "there is no buildx to build with"
    old = [f"{' '.join(one.command)}: version {one.version}" for _, one in tried if one is not None]
    if old:
        return EngineTooOldError("buildx is too old", seen="\n".join(old), why=WHY, do=DO)
    if not any(Path(command[0]).name == "docker" for command, _ in tried):
        seen = "no docker in PATH, no docker-buildx in the CLI's plug-in folders"
        return DockerCliError(
            failed, seen=seen, why=WHY, do=f"{DO}; or, as root on Debian or Ubuntu: invoke engine.start"
        )
    seen = "docker is there, docker-buildx is not in its plug-in folders"
    return BuildxMissingError(
        failed, seen=seen, why=WHY, do=f"{DO}; or, as root on Debian or Ubuntu: invoke engine.start"
    )
