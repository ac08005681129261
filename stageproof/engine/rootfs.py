"""The private engine's root file system: made once from Debian packages, whole or not at all."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stageproof.engine import processes
from stageproof.engine.home import Home, tail
from stageproof.errors import DiskFullError, EngineError, NoAptError, NoPackageIndexError, NotRootError

Progress = Callable[[str], None]

SUITES = ("forky", "trixie")
"""The newest engine first; trixie's is old but new enough, and its index has no expiry date."""
PACKAGES = (
    *("docker.io", "docker-buildx", "docker-cli", "containerd", "runc"),
    # variant `apt` leaves mount out, and it is what leaves the old root behind
    *("iptables", "iproute2", "mount", "ca-certificates"),
)
TOOLS = {"mmdebstrap": "mmdebstrap", "unshare": "util-linux", "nsenter": "util-linux", "chroot": "coreutils"}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
BYTES_NEEDED = 3_000_000_000
"""Room for the root file system, its making, and a first few images."""
WHY = "where no engine is found, one is made from Debian packages in its own folder"
DO = "start Docker, or set DOCKER_HOST; docs/engine.md"
NO_INDEX = re.compile(
    "Failed to fetch|(Could not|Temporary failure) resolv|(Unable to|Could not) connect|Connection timed out"
    "|does not have a Release file|Unable to locate package|has no installation candidate"
    "|invalid since|Some index files failed to download"
)
"""What apt says where no index, or no good one, answers."""
NO_SPACE = re.compile("No space left on device|You don't have enough free space")


@dataclass(frozen=True)
class Made:
    """What the root file system says about itself."""

    suite: str
    engine: str
    buildx: str
    packages: tuple[str, ...]


def made(home: Home) -> Made | None:
    """Read what is there: nothing, unless it is whole and of this version's packages."""
    try:
        read = json.loads((home.root / "etc/stageproof.json").read_text())
    except FileNotFoundError:
        return None
    found = Made(read["suite"], read["engine"], read["buildx"], tuple(read["packages"]))
    return found if found.packages == PACKAGES else None


def require(home: Home) -> None:
    """Raise what stands in the way of a private engine on this host."""
    require_root()
    require_mounts()
    if made(home) is None:
        require_apt()
        require_space(home.folder, BYTES_NEEDED)


def require_root() -> None:
    """Raise unless this is root."""
    if os.geteuid() != 0:
        failed = "the private engine cannot be started"
        seen = f"it needs root, and this is uid {os.geteuid()}"
        raise NotRootError(
            failed, seen=seen, why=WHY, do="start Docker, or set DOCKER_HOST, or run with sudo; docs/engine.md"
        )


def require_mounts() -> None:
    """Raise unless this root may mount: in a container it often may not."""
    try:
        done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return  # util-linux is installed together with the rest
    if done.returncode != 0:
        failed = "the private engine cannot be started"
        raise NotRootError(failed, seen=f"this root may not mount: {done.stderr.strip()}", why=WHY, do=DO)


def require_apt() -> None:
    """Raise unless the host installs packages with apt."""
    if platform.system() != "Linux" or shutil.which("apt-get") is None:
        failed = "the private engine cannot be made"
        seen = f"apt-get is not in PATH ({distribution()})"
        raise NoAptError(failed, seen=seen, why=f"{WHY}; that works on Debian and Ubuntu", do=DO)


def require_space(folder: Path, needed: int) -> None:
    """Raise unless so many bytes are free where the folder is, or will be."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        failed = f"not enough disk space in {there}"
        seen = f"{free / 1e9:.1f} GB free, {needed / 1e9:.0f} GB needed"
        raise DiskFullError(
            failed, seen=seen, why=WHY, do="make room, or set XDG_CACHE_HOME to a larger disk; docs/engine.md"
        )


def distribution() -> str:
    """Name the host's distribution."""
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return platform.system()


def make(home: Home, progress: Progress) -> Made:
    """Make the root file system where there is none; the caller holds the lock."""
    there = made(home)
    if there is not None:
        return there
    require(home)
    home.folder.mkdir(parents=True, exist_ok=True)
    home.make_log.write_text("")
    _install_tools(home, progress)
    unfinished = home.folder / "root.unfinished"
    try:
        for suite in SUITES:
            if _bootstrap(home, suite, unfinished, progress):
                result = _complete(unfinished, suite)
                processes.delete_tree(home.root)
                unfinished.rename(home.root)
                progress(f"private engine {result.engine} made from {suite}")
                return result
    finally:
        processes.delete_tree(unfinished)
    raise _failure(home, "the private engine's packages could not be installed")


def _install_tools(home: Home, progress: Progress) -> None:
    missing = sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})
    missing += [] if KEYRING.exists() else ["debian-archive-keyring"]
    if not missing:
        return
    progress(f"installing {', '.join(missing)} with apt")
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    # The first try saves the download of an index that is there already.
    if _logged(home, install) != 0 and (_logged(home, ["apt-get", "update"]) != 0 or _logged(home, install) != 0):
        raise _failure(home, f"apt could not install {', '.join(missing)}")


def _bootstrap(home: Home, suite: str, target: Path, progress: Progress) -> bool:
    """Try one suite, and once more if its index is past its date: mirrors lag, and signatures are still checked."""
    progress(f"making the private engine from Debian {suite}, about 30 s, once")
    began = len(home.make_log.read_text())
    for options in ((), ('--aptopt=Acquire::Check-Valid-Until "false"',)):
        processes.delete_tree(target)
        if _logged(home, bootstrap_command(suite, target, mirror(), options)) == 0:
            return True
        said = home.make_log.read_text()[began:]
        if NO_SPACE.search(said):
            raise _failure(home, "the private engine could not be made")
        expired = next((line for line in said.splitlines() if "is expired" in line or "invalid since" in line), "")
        if not expired or options:
            break
        text = f"{suite}: the index is past its date, taken all the same; signatures are still checked"
        _tell(home, progress, f"{text} ({expired})")
    reason = next((line for line in said.splitlines() if line.startswith("E:")), "no reason given")
    _tell(home, progress, f"{suite} cannot be had: {reason}")
    return False


def bootstrap_command(suite: str, target: Path, source: str, options: tuple[str, ...]) -> list[str]:
    """Give the command that makes a root file system."""
    without = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]
    proxies = [f'--aptopt={name} "{value}"' for name, value in apt_proxies().items()]
    command = ["mmdebstrap", "--variant=apt", "--mode=root", "--format=directory", f"--include={','.join(PACKAGES)}"]
    return [*command, *without, *proxies, *options, suite, str(target), *([source] if source else [])]


def mirror(environment: Mapping[str, str] = os.environ) -> str:
    """Give the Debian mirror: the one asked for, else the host's own, else none: mmdebstrap has a default."""
    asked = environment.get("STAGEPROOF_DEBIAN_MIRROR", "")
    if asked:
        return asked
    fields = "$(ORIGIN) $(COMPONENT) $(RELEASE) $(REPO_URI)"
    listed = _asked(["apt-get", "indextargets", "--format", fields, "Created-By: Packages"])
    # The plain release, not its updates: the mirror's other suites lie beside it.
    own = re.search(r"^Debian main \w+ (\S+)$", listed, re.MULTILINE)
    return own[1] if own else ""


def apt_proxies() -> dict[str, str]:
    """Read the proxies of the host's apt, which mmdebstrap does not look at."""
    dumped = _asked(["apt-config", "dump"])
    return dict(re.findall(r'^(Acquire::\S*Proxy) "([^"]+)";$', dumped, re.MULTILINE))


def _asked(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return ""


def _complete(root: Path, suite: str) -> Made:
    """Add the mount points, and the note that says what this is; read the versions from the package database."""
    for folder in ("engine", "old", "etc/docker/certs.d", "etc/ssl/certs"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    # Mount points too; a link would point out of the root.
    for name in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
        path = root / name
        if path.is_symlink() or not path.exists():
            path.unlink(missing_ok=True)
            path.touch()
    query = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "--show", "--showformat=${Package} ${Version}\n"]
    versions = dict(line.split(" ", 1) for line in _asked(query).splitlines())
    result = Made(suite, _short(versions["docker.io"]), _short(versions["docker-buildx"]), PACKAGES)
    (root / "etc/stageproof.json").write_text(json.dumps(result.__dict__, indent=1))
    return result


def _short(version: str) -> str:
    return version.partition("+")[0].partition("~")[0].rpartition(":")[2].partition("-")[0]


def _logged(home: Home, command: list[str]) -> int:
    """Run a command whose words go into the log."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    with home.make_log.open("a") as log:
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, env=environment, cwd="/"
        ).returncode


def _tell(home: Home, progress: Progress, text: str) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S")
    with home.make_log.open("a") as log:
        log.write(f"{stamp} {text}\n")
    progress(text)


def _failure(home: Home, failed: str) -> EngineError:
    """Turn what the log says into the right error."""
    said = home.make_log.read_text()
    seen = f"{tail(home.make_log)}\n(last lines; whole log: {home.make_log})"
    if NO_SPACE.search(said):
        return DiskFullError(
            failed, seen=seen, why=WHY, do="make room, or set XDG_CACHE_HOME to a larger disk; docs/engine.md"
        )
    if NO_INDEX.search(said):
        do = "check the network and apt's sources, or set STAGEPROOF_DEBIAN_MIRROR to a Debian mirror; docs/engine.md"
        return NoPackageIndexError(failed, seen=seen, why=WHY, do=do)
    return EngineError(failed, seen=seen, why=WHY, do=DO)
