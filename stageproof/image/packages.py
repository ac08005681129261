"""Packages that an image holds: of Debian, Alpine, Python, Node, Java and Go, as their own records say."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from stageproof.image import jars
from stageproof.image.tree import Entry, Image

_NODE = re.compile(r"/node_modules/(@[^/]+/)?[^/]+/package\.json$")
_PYTHON = re.compile(r"\.(dist-info/METADATA|egg-info(/PKG-INFO)?)$")
_STATUS, _STATUS_D = "/var/lib/dpkg/status", "/var/lib/dpkg/status.d"
_ON_DISK = re.compile(r" (installed|triggers-\w+)$")
"""The states of dpkg(1) in which a package is there; what waits for a trigger is."""


@dataclass(frozen=True)
class Package:
    """One package, as its ecosystem calls it."""

    ecosystem: str
    """deb, apk, python, node, java or go."""
    name: str
    version: str
    entry: Entry
    """The file that says so."""

    @property
    def path(self) -> str:
        """The path of the file that says so."""
        return self.entry.path


@dataclass(frozen=True)
class DebianPackage:
    """One Debian package, as dpkg's records say."""

    name: str
    version: str
    architecture: str
    entry: Entry
    """The file that says so."""


def installed(image: Image) -> tuple[Package, ...]:
    """Give every package of the merged tree, in the order of ecosystem, name and version.

    A jar and a Go program say themselves what they are made of; a jar without coordinates is called by its file name.
    """
    found = [*_of_debian(image), *_of_alpine(image)]
    for entry in image.tree.values():
        facts = entry.facts
        if facts.packages:
            found += [Package(ecosystem, name, version, entry) for ecosystem, name, version in facts.packages]
        elif facts.content is not None or entry.name.endswith(".jar"):
            found += _of_file(entry)
    unique = {(one.ecosystem, one.name, one.version, one.path): one for one in found}
    return tuple(unique[key] for key in sorted(unique))


def _of_debian(image: Image) -> Iterator[Package]:
    return (Package("deb", each.name, each.version, each.entry) for each in of_debian(image))


def of_debian(image: Image) -> Iterator[DebianPackage]:
    """Give the installed Debian packages: of dpkg's status (deb-control(5)), and of distroless' folder status.d."""
    for entry in debian_records(image):
        yield from debian_in(entry)


def debian_records(image: Image) -> list[Entry]:
    """Give the files that say which Debian packages are installed."""
    files = [entry for entry in image.walk(_STATUS_D) if entry.is_file and not entry.name.endswith(".md5sums")]
    status = image.resolve(_STATUS)
    return [*files, *([status] if status else [])]


def debian_in(entry: Entry) -> Iterator[DebianPackage]:
    """Give the packages that one such file calls installed; one of status.d says nothing of a state."""
    for fields in _paragraphs(entry):
        if fields.get("Package") and _ON_DISK.search(fields.get("Status", "install ok installed")):
            yield DebianPackage(fields["Package"], fields.get("Version", ""), fields.get("Architecture", ""), entry)


def _of_alpine(image: Image) -> Iterator[Package]:
    """Read apk's installed database (apk-package(5): P is the name, V the version)."""
    for path in ("/lib/apk/db/installed", "/usr/lib/apk/db/installed"):
        if entry := image.find(path):
            for paragraph in _paragraphs(entry):
                if paragraph.get("P"):
                    yield Package("apk", paragraph["P"], paragraph.get("V", ""), entry)


def _paragraphs(entry: Entry) -> Iterator[dict[str, str]]:
    """Read paragraphs of `Field: value`, an empty line between them; of a repeated field, the first."""
    fields: dict[str, str] = {}
    for line in [*(entry.facts.content or b"").decode("utf-8", "replace").split("\n"), ""]:
        if not line.strip():
            if fields:
                yield fields
            fields = {}
        elif line[0] not in " \t":
            name, _, value = line.partition(":")
            fields.setdefault(name, value.strip())


def of_languages(image: Image) -> Iterator[Package]:
    """Give every Python distribution, Node package (in a node_modules) and jar of the merged tree, by file names."""
    for entry in image.tree.values():
        yield from _of_file(entry)


def _of_file(entry: Entry) -> Iterator[Package]:
    if not entry.is_file:
        return
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
        named = jars.of_file_name(posixpath.basename(path))
        if named:
            yield Package("java", *named, entry)


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
