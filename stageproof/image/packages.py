"""Packages that an image holds: Debian's, Python's, Node's, and jars."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from stageproof.image.tree import Entry, Image

_JAR = re.compile(r"(?P<name>.+?)-(?P<version>\d[^/]*)\.jar")
_NODE = re.compile(r"/node_modules/(@[^/]+/)?[^/]+/package\.json$")
_PYTHON = re.compile(r"\.(dist-info/METADATA|egg-info(/PKG-INFO)?)$")
_STATUS_D = "/var/lib/dpkg/status.d"


@dataclass(frozen=True)
class Package:
    """A package of a language: what it is called there, and the file that says so."""

    ecosystem: str
    name: str
    version: str
    entry: Entry


def of_languages(image: Image) -> Iterator[Package]:
    """Give every Python distribution, Node package (in a node_modules) and jar of the merged tree."""
    for entry in image.tree.values():
        if not entry.is_file:
            continue
        if entry.facts.content is not None and entry.name == "package.json" and _NODE.search(entry.path):
            about = json.loads(entry.facts.content)
            yield Package("node", about["name"], about["version"], entry)
        elif entry.facts.content is not None and _PYTHON.search(entry.path):
            yield from _python(entry)
        elif entry.name.endswith(".jar"):
            yield from _jars(entry)


def _python(entry: Entry) -> Iterator[Package]:
    fields: dict[str, str] = {}
    for line in (entry.facts.content or b"").decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.lower(), value.strip())
    if fields.get("name"):
        yield Package("python", normal_python(fields["name"]), fields.get("version", ""), entry)


def _jars(entry: Entry) -> Iterator[Package]:
    for path in (entry.path, *(member for member in entry.facts.members if member.endswith(".jar"))):
        match = _JAR.fullmatch(posixpath.basename(path))
        if match:
            yield Package("java", match["name"], match["version"], entry)


def normal_python(name: str) -> str:
    """Write a Python project's name in the one form of PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def debian_files(image: Image) -> frozenset[str]:
    """Give every path that a Debian package says is its own, links in folders followed (`/lib/x` is `/usr/lib/x`)."""
    folders: dict[str, str] = {}
    return frozenset(_followed(image, path, folders) for path in _claimed(image))


def debian_names(image: Image) -> frozenset[str]:
    """Give the names of the Debian packages."""
    names = {entry.name for entry in image.walk(_STATUS_D) if entry.is_file and not entry.name.endswith(".md5sums")}
    status = (image.read("/var/lib/dpkg/status") or b"").decode("utf-8", "replace")
    names.update(line.partition(":")[2].strip() for line in status.splitlines() if line.startswith("Package:"))
    return frozenset(names)


def _claimed(image: Image) -> Iterator[str]:
    for entry in image.walk("/var/lib/dpkg"):
        yield entry.path  # the records themselves
        text = (entry.facts.content or b"").decode("utf-8", "surrogateescape")
        if entry.path.startswith(_STATUS_D) and entry.name.endswith(".md5sums"):
            yield from (
                "/" + line.split(None, 1)[1].removeprefix("./")
                for line in text.splitlines()
                if len(line.split(None, 1)) > 1
            )
        elif entry.name.endswith(".list"):
            yield from (line for line in text.splitlines() if line.startswith("/") and line != "/.")


def _followed(image: Image, path: str, folders: dict[str, str]) -> str:
    folder, name = posixpath.split(path)
    if folder not in folders:
        found = image.resolve(folder)
        folders[folder] = found.path if found else folder
    return posixpath.join(folders[folder], name)
