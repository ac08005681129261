"""Do the package registries answer? Their addresses are read from the clients' own configuration, never known here."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import requests

SECONDS = 3.0
CLIENT_SECONDS = 15
"""How long a client may take to tell its configuration."""


@dataclass(frozen=True)
class Answer:
    """What one registry did when it was asked."""

    client: str
    asked: bool
    """False where the client is not on this host: then its address is not known here."""
    problem: str = ""


def ask_all(ca_bundle: Path | None) -> list[Answer]:
    """Ask the registries of apt, pip, npm, Go and Maven, all at once."""
    with ThreadPoolExecutor(max_workers=len(ADDRESSES)) as pool:
        questions = [pool.submit(_ask, client, address, ca_bundle) for client, address in ADDRESSES.items()]
        return [question.result() for question in questions]


def _ask(client: str, address: Callable[[], str], ca_bundle: Path | None) -> Answer:
    try:
        url = address()
    except (OSError, subprocess.SubprocessError, zipfile.BadZipFile, KeyError):
        url = ""
    if not url.startswith("http"):
        return Answer(client, asked=False)
    try:
        # Any answer is one: a registry need not have a page at its address.
        requests.head(url, timeout=SECONDS, allow_redirects=False, verify=str(ca_bundle) if ca_bundle else True).close()
    except requests.exceptions.SSLError:
        return Answer(client, asked=True, problem="its certificate is not trusted here")
    except requests.RequestException as error:
        return Answer(client, asked=True, problem=type(error).__name__)
    return Answer(client, asked=True)


def _said(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=CLIENT_SECONDS, cwd="/")
    return done.stdout.strip()


def apt() -> str:
    """Give the first address of apt's sources."""
    listed = _said("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    return listed.partition("\n")[0]


def pip() -> str:
    """Give pip's index: the configured one, else the one that pip itself knows."""
    python = shutil.which("python3") or "python3"
    configured = _said(python, "-m", "pip", "config", "list")
    found = re.search(r"^(?:global|install|:env:)\.index-url='?([^'\n]+)", configured, re.MULTILINE)
    own = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    return found[1] if found else _said(python, "-c", own)


def npm() -> str:
    """Give npm's registry."""
    return _said("npm", "config", "get", "registry")


def go() -> str:
    """Give the first module proxy."""
    return re.split(r"[,|]", _said("go", "env", "GOPROXY"))[0]


def maven() -> str:
    """Give Maven's mirror from the user's settings, else the repository of Maven's own first POM."""
    settings = Path.home() / ".m2/settings.xml"
    text = re.sub(r"<!--.*?-->", "", settings.read_text() if settings.exists() else "", flags=re.DOTALL)
    mirror = re.search(r"<mirror>.*?<url>\s*(.*?)\s*</url>", text, re.DOTALL)
    if mirror:
        return mirror[1]
    program = shutil.which("mvn")
    if program is None:
        return ""
    libraries = Path(program).resolve().parent.parent.glob("lib/maven-model-builder-*.jar")
    for library in libraries:
        with zipfile.ZipFile(library) as jar:
            pom = jar.read("org/apache/maven/model/pom-4.0.0.xml").decode()
        if found := re.search(r"<url>(.*?)</url>", pom):
            return found[1]
    return ""


ADDRESSES: Mapping[str, Callable[[], str]] = {"apt": apt, "pip": pip, "npm": npm, "Go": go, "Maven": maven}
