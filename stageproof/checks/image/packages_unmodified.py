"""`packages-unmodified`: the files of packages are as their packages brought them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from stageproof.checks.subject import Subject, evidence_of, failed, not_applicable, passed, unknown
from stageproof.image import Entry, Image, apk_sums, checksums, debian_sums, python_sums
from stageproof.image.recorded import Recorded
from stageproof.model import Evidence, Finding

CLAIM = "holds the files of its packages as the packages brought them"
BROKEN = "holds files of packages that somebody changed"
WHY = "a scanner goes by the package's version: of a changed file it knows nothing, and the next update undoes it"
DO = "configure instead of patching; a file of your own belongs into a path of its own"
RPM = ("/var/lib/rpm", "/usr/lib/sysimage/rpm")


def check(subject: Subject, allowed: Sequence[str] = ()) -> Finding:
    """Decide the claim by the sums that dpkg, distroless' status.d, apk and RECORD files recorded.

    `allowed` are patterns of paths. A file that is gone is not changed; a conffile is there to be changed.
    """
    image = subject.image
    packages = _packages(image)
    records = _by_path(image)
    rpm = None if debian_sums.installed(image) or apk_sums.lists(image) else _rpm(image)
    if not packages and not records and not apk_sums.lists(image) and rpm is None:
        return not_applicable("packages-unmodified", "holds no package that recorded its files")
    compared, unread, seen = 0, checksums.unread_lists(image), []
    for path, of_packages in records.items():
        entry = image.tree.get(path)
        if entry is None or not entry.is_file or any(fnmatchcase(path, form) for form in allowed):
            continue
        answers = {checksums.is_as_recorded(entry, each) for each in of_packages}
        if True in answers:
            compared += 1
        elif None in answers:
            unread.append(path)
        else:
            seen.append(_changed(subject, entry, of_packages))
    if seen:
        return failed("packages-unmodified", BROKEN, seen, DO)
    if rpm is not None:
        return _open(f"the sums that {rpm} records are in a database that the index does not hold")
    if unread or not compared:
        return _open(f"not compared: {', '.join(unread[:5])}" if unread else "no package recorded the sum of a file")
    return passed("packages-unmodified", f"{CLAIM}: {compared} files of {packages} packages")


def _packages(image: Image) -> int:
    """Count the packages of the kinds that record sums."""
    return len(debian_sums.installed(image)) + len(apk_sums.packages(image)) + len(python_sums.lists(image))


def _rpm(image: Image) -> str | None:
    return next((place for place in RPM if image.resolve(place) is not None), None)


def _by_path(image: Image) -> dict[str, list[Recorded]]:
    found: dict[str, list[Recorded]] = {}
    for each in checksums.recorded(image):
        found.setdefault(each.path, []).append(each)
    return found


def _changed(subject: Subject, entry: Entry, of_packages: Sequence[Recorded]) -> Evidence:
    names = ", ".join(dict.fromkeys(each.package for each in of_packages))
    return evidence_of(subject, entry, f"other bytes than the package {names} brought")


def _open(text: str) -> Finding:
    return unknown("packages-unmodified", f"could not be shown that it {CLAIM}", [Evidence(text)])
