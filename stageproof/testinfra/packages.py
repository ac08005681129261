"""host.package, as testinfra documents it, from the package data that the container holds."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testinfra.modules.package import Package

from stageproof.errors import QuestionError
from stageproof.testinfra.inside import AbsentError, Inside, inside_of

DPKG_STATUS = "/var/lib/dpkg/status"
DPKG_FOLDER = "/var/lib/dpkg/status.d"
"""Where distroless images keep the record of each package in a file of its own."""
APK_INSTALLED = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
RPM_FOLDERS = ("/var/lib/rpm", "/usr/lib/sysimage/rpm")
INSTALLED = (("install", "ok", "installed"), ("hold", "ok", "installed"))


@dataclass(frozen=True)
class Installed:
    """A package that is installed."""

    name: str
    architecture: str
    version: str
    """As the package system writes it, without what it calls the release."""
    release: str | None
    """None where the package system does not tell it apart."""


class ContainerPackage(Package):
    """A package of a container: by its name, or name:architecture where Debian's have one."""

    @property
    def _inside(self) -> Inside:
        return inside_of(self._host)

    def _found(self) -> Installed | None:
        name, _, architecture = str(self.name).partition(":")
        return next(
            (
                one
                for one in installed(self._inside)
                if one.name == name and (not architecture or one.architecture == architecture)
            ),
            None,
        )

    def _require(self) -> Installed:
        found = self._found()
        if found is None:
            failed = f"the package {self.name} is not installed in {self._inside.container.name}"
            raise AbsentError(failed, why="there is nothing to give")
        return found

    @property
    def is_installed(self) -> bool:
        """Tell whether it is installed."""
        return self._found() is not None

    @property
    def version(self) -> str:
        """Give the version."""
        return self._require().version

    @property
    def release(self) -> str:
        """Give the release, where the package system tells one apart from the version (apk)."""
        release = self._require().release
        if release is None:
            raise NotImplementedError  # as testinfra does
        return release


def module_class(host: Any) -> type[Package]:  # noqa: ANN401 -- any host of testinfra
    """Give what answers: our own, or testinfra's where only the container's own rpm can read its data base."""
    inside = inside_of(host)
    if any(_folder_is_filled(inside, folder) for folder in RPM_FOLDERS) and inside.find_program("rpm"):
        found: type[Package] = Package.get_module_class(host)
        return found
    return ContainerPackage


def _folder_is_filled(inside: Inside, folder: str) -> bool:
    try:
        return bool(inside.ask("names", path=folder)["names"])
    except AbsentError:
        return False


def installed(inside: Inside) -> list[Installed]:
    """List the installed packages. Raise QuestionError where the container has no data of them that can be read."""
    found, looked = [], False
    for text in _dpkg_texts(inside):
        looked = True
        found += [one for record in _records(text) if (one := _debian(record))]
    for path in APK_INSTALLED:
        if inside.facts(path):
            looked = True
            found += [one for record in _records(inside.text(path)) if (one := _alpine(record))]
    if not looked:
        failed = f"the packages of {inside.container.name} cannot be told"
        rpm = any(_folder_is_filled(inside, folder) for folder in RPM_FOLDERS)
        seen = "rpm's data base, and no rpm to read it" if rpm else "no package data: neither dpkg's, nor apk's"
        raise QuestionError(failed, seen=seen, why="whether a package is installed stays unknown")
    return found


def _dpkg_texts(inside: Inside) -> Iterator[str]:
    if inside.facts(DPKG_STATUS):
        yield inside.text(DPKG_STATUS)
    if inside.facts(DPKG_FOLDER):
        for name in sorted(inside.ask("names", path=DPKG_FOLDER)["names"]):
            if not name.endswith(".md5sums"):
                yield inside.text(posixpath.join(DPKG_FOLDER, name))


def _records(text: str) -> Iterator[Mapping[str, str]]:
    """Cut records apart: `field: value` lines, an empty line between two; lines that go on are not needed."""
    record: dict[str, str] = {}
    for line in [*text.splitlines(), ""]:
        if not line.strip():
            if record:
                yield record
            record = {}
        elif not line[0].isspace():
            name, _, value = line.partition(":")
            record.setdefault(name, value.strip())


def _debian(record: Mapping[str, str]) -> Installed | None:
    """Read a record of dpkg's; those of distroless have no status, and are all installed."""
    status = record.get("Status")
    if "Package" not in record or (status is not None and tuple(status.split()) not in INSTALLED):
        return None
    return Installed(record["Package"], record.get("Architecture", ""), record.get("Version", ""), None)


def _alpine(record: Mapping[str, str]) -> Installed | None:
    """Read a record of apk's: P the name, V the version with the release, A the architecture."""
    if "P" not in record:
        return None
    version, _, release = record.get("V", "").rpartition("-")
    return Installed(record["P"], record.get("A", ""), version, release)
