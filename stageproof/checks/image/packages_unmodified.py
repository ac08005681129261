"""`packages-unmodified`: the files of distribution packages are as their packages brought them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from stageproof.checks.subject import Subject, evidence_of, failed, not_applicable, passed, unknown
from stageproof.image import Entry, Image, checksums
from stageproof.image.checksums import Recorded
from stageproof.model import Evidence, Finding

CLAIM = "holds the files of its packages as the packages brought them"
BROKEN = "holds files of packages that somebody changed"
WHY = "a scanner goes by the package's version: of a changed file it knows nothing, and the next update undoes it"
DO = "configure instead of patching; a file of your own belongs into a path of its own"
OTHERS = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed", "/var/lib/rpm", "/usr/lib/sysimage/rpm")


def check(subject: Subject, allowed: Sequence[str] = ()) -> Finding:
    """Decide the claim by the MD5 sums that dpkg, or distroless' status.d, recorded; `allowed` are patterns of paths.

    A file that is gone is not changed; a conffile is there to be changed and has no recorded sum.
    """
    image = subject.image
    other = next((place for place in OTHERS if image.resolve(place) is not None), None)
    installed = checksums.installed(image)
    records = _by_path(image)
    if not installed and not records:
        if other is None:
            return not_applicable("packages-unmodified", "holds no package of a distribution")
        return _open(f"the sums that {other} records are of a kind that the index does not hold")
    compared, unread, seen = 0, checksums.unread_lists(image), []
    for path, of_packages in records.items():
        entry = image.tree.get(path)
        if entry is None or not entry.is_file or any(fnmatchcase(path, form) for form in allowed):
            continue
        if not entry.md5:
            unread.append(path)
            continue
        compared += 1
        if entry.md5 not in {each.md5 for each in of_packages}:
            seen.append(_changed(subject, entry, of_packages))
    if seen:
        return failed("packages-unmodified", BROKEN, seen, DO)
    if unread or not compared:
        return _open(f"not compared: {', '.join(unread[:5])}" if unread else "no package recorded the sum of a file")
    return passed("packages-unmodified", f"{CLAIM}: {compared} files of {len(installed)} packages")


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
