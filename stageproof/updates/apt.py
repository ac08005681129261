"""The host's own apt: where its Debian mirror is, how that is reached, and a configuration that touches nothing else.

Addresses, keys, proxies and certificates are those of the host's configuration (apt.conf(5), sources.list(5)).
Everything that apt writes goes into a folder of ours, and none of the host's hooks and pins are taken along.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION, STATUS, LISTS = "apt.conf", "status", "lists"
CLIENT_SECONDS = 60
"""How long apt may take for an answer that needs no network."""
STALL_SECONDS = 10
"""How long a transfer that has begun may stand still, or a second mirror not answer."""
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""Debian's own keys, for sources that name none."""
_COMPONENTS = "main contrib non-free non-free-firmware"
_TARGETS = ("apt-get", "-o", "Dir::State::lists=/dev/null/", "indextargets", "--no-release-info", "--format")
_FIELDS = "$(COMPONENT) $(RELEASE) $(REPO_URI) $(SOURCESENTRY)"
_TARGET = re.compile(r"^main (?P<release>\S+) (?P<uri>\S+) (?P<file>/.+):(?P<number>\d+)$", re.MULTILINE)
_SECURITY = "-security"
# How repositories are reached and trusted. Hooks, pins and further kinds of lists are not taken over.
_TAKEN = re.compile(
    r'^(?:Acquire::(?:https?|mirror|socks5h|ftp|tor)\S*|Dir|Dir::Etc|Dir::Etc::(?:netrc|trusted)\S*) ".*$'
)
_SIGNED_BY = re.compile(r"^Signed-By:[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE | re.IGNORECASE)
_SIGNED_BY_OPTION = re.compile(r"\[[^\]]*\bsigned-by=([^\s\]]+)", re.IGNORECASE)


class Unavailable(Exception):  # noqa: N818 -- a state of the world, turned into a finding
    """The updates cannot be told; the text says why, and `seen` holds apt's own last words."""

    def __init__(self, reason: str, seen: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.seen = seen


@dataclass(frozen=True)
class Source:
    """One place of Debian's, and its keys: what Signed-By may say; empty: all that apt trusts."""

    uri: str
    keys: str


@dataclass(frozen=True)
class Mirror:
    """Where the host has its Debian from."""

    main: Source
    security: Source

    def sources(self, codename: str) -> str:
        """Give the sources of another release, in the format of sources.list(5): the suites lie beside the host's."""
        suites = ((self.main, f"{codename} {codename}-updates"), (self.security, codename + _SECURITY))
        return "\n".join(
            f"Types: deb\nURIs: {source.uri}\nSuites: {names}\nComponents: {_COMPONENTS}\n"
            + (f"Signed-By: {source.keys}\n" if source.keys else "")
            for source, names in suites
        )


def mirror() -> Mirror:
    """Read where the host's apt has Debian from: a release, and the same with `-security`. Raises Unavailable."""
    found: dict[str, Source] = {}
    for target in _TARGET.finditer(said([*_TARGETS, _FIELDS, "Created-By: Packages"])):
        if target["release"] not in found:
            found[target["release"]] = Source(target["uri"], _keys(Path(target["file"]), int(target["number"])))
    for release, source in found.items():
        if release + _SECURITY in found:
            return Mirror(source, found[release + _SECURITY])
    reason = "apt's sources on this host name no Debian release together with its security suite"
    raise Unavailable(reason, f"they name: {', '.join(found) or 'none'}")


def _keys(file: Path, number: int) -> str:
    """Give what a source says of its keys; apt counts lines in `.list` files and stanzas in `.sources` files."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = f"{file} cannot be read"
        raise Unavailable(reason, str(error)) from error
    if file.suffix == ".sources":
        plain = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        stanzas = [each for each in re.split(r"\n\s*\n", plain) if each.strip()]
        named = _SIGNED_BY.search("\n".join(stanzas[number - 1 : number]))
    else:
        named = _SIGNED_BY_OPTION.search("\n".join(text.splitlines()[number - 1 : number]))
    if named:
        return named[1].strip()
    return str(KEYRING) if KEYRING.exists() else ""


def configure(folder: Path, sources: str, architecture: str) -> None:
    """Write the configuration of an apt that keeps everything below a folder."""
    (folder / "sources.d").mkdir(parents=True)
    for name in (f"{LISTS}/partial", "cache"):
        (folder / name).mkdir(parents=True)
    (folder / STATUS).touch()
    taken = [line for line in said(["apt-config", "dump"]).splitlines() if _TAKEN.match(line)]
    own = {
        "Dir::Etc::main": "/dev/null",
        "Dir::Etc::parts": "/dev/null",
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": f"{folder}/sources.d",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State": str(folder),
        "Dir::State::lists": f"{folder}/{LISTS}",
        "Dir::State::status": f"{folder}/{STATUS}",
        "Dir::Cache": f"{folder}/cache",
        "Dir::Cache::pkgcache": "",
        "APT::Architecture": architecture,
        "APT::Architectures::": architecture,
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
        "Acquire::GzipIndexes": "true",
        "Acquire::Retries": "0",
        "Acquire::http::Timeout": str(STALL_SECONDS),
        "Acquire::https::Timeout": str(STALL_SECONDS),
        "Acquire::AllowInsecureRepositories": "false",
        "Acquire::AllowWeakRepositories": "false",
    }
    lines = [*taken, *(f'{name} "{value}";' for name, value in own.items())]
    for path, text in ((folder / "sources.d/debian.sources", sources), (folder / CONFIGURATION, "\n".join(lines))):
        path.touch(mode=0o600)  # a source may hold a password
        path.write_text(text + "\n", encoding="utf-8")


def environment(folder: Path) -> Mapping[str, str]:
    """Give the environment in which apt takes a folder's configuration alone."""
    return {**os.environ, "APT_CONFIG": str(folder / CONFIGURATION), "LC_ALL": "C.UTF-8"}


def said(command: Sequence[str], folder: Path | None = None) -> str:
    """Give what an apt tool says, with a folder's configuration or the host's own. Raises Unavailable."""
    if shutil.which(command[0]) is None:
        reason = f"there is no {command[0]} on this host"
        raise Unavailable(reason)
    where = environment(folder) if folder else {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", check=False,
            timeout=CLIENT_SECONDS, env=where, cwd="/",
        )  # fmt: skip
    except (subprocess.TimeoutExpired, OSError) as error:
        reason = f"{command[0]} gave no answer"
        raise Unavailable(reason, str(error)) from error
    if done.returncode != 0:
        reason = f"{command[0]} ended with exit code {done.returncode}"
        raise Unavailable(reason, done.stderr.strip())
    return done.stdout
