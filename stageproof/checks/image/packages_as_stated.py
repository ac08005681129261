"""`packages-as-stated`: packages of the operating system are installed, or not, as the contract states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stageproof.checks import stated
from stageproof.checks.stated import Row
from stageproof.checks.subject import Subject, failed, not_applicable, passed, unknown
from stageproof.image.packages import installed
from stageproof.model import Evidence, Finding

ID = "packages-as-stated"
CLAIM = "has the packages that its contract states"
BROKEN = "has other packages than its contract states"
WHY = "a package that a base drops or brings changes what the image can do, and no Dockerfile line shows it"
DO = "install or remove it in the final stage, or change the contract"
OF_SYSTEMS = ("deb", "apk")
"""The ecosystems of operating systems whose records are read."""
KEYS = ("name", "installed", "versions")


def check(subject: Subject, packages: Sequence[Row] = ()) -> Finding:
    """Decide the claim by the image's own records: dpkg's (distroless too) and apk's; without any it is unknown."""
    rows = stated.rows(ID, packages, KEYS, "name")
    if not rows:
        return not_applicable(ID, stated.NOTHING)
    there = [package for package in installed(subject.image) if package.ecosystem in OF_SYSTEMS]
    if not there:
        seen = [Evidence("neither dpkg nor apk left records of packages in this image")]
        return unknown(ID, f"could not be shown that it {CLAIM}", seen, "state files instead: files-as-stated")
    versions = {package.name: package.version for package in there}
    wrong = [Evidence(text) for row in rows for text in _row(row, versions)]
    if wrong:
        return failed(ID, BROKEN, wrong, DO)
    return passed(ID, f"{CLAIM}: {len(rows)} of {len(rows)}")


def _row(row: Row, versions: Mapping[str, str]) -> Iterator[str]:
    name = str(row["name"])
    version = versions.get(name)
    if row.get("installed", True) is False:
        if version is not None:
            yield f"{name} {version} is installed, stated is that it is not"
        return
    wanted = stated.words(ID, row, "versions")
    if version is None:
        yield f"{name} is not installed"
    elif wanted and version not in wanted:
        yield f"{name} is {version}, stated is {' or '.join(wanted)}"
