"""`base-in-support`: the operating system of the image still gets security updates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from stageproof.checks import releases
from stageproof.checks.subject import Subject, evidence_of, failed, not_applicable, passed, unknown
from stageproof.image import os_release
from stageproof.model import Evidence, Finding

CLAIM = "stands on an operating system that still gets security updates"
BROKEN = "stands on an operating system that gets no security updates any more"
WHY = "every hole that is found from then on stays open, and no scanner has a fixed version to name"
DO = "build on the base of a newer release"
RECORDS = ("/var/lib/dpkg", "/lib/apk", "/usr/lib/apk", "/var/lib/rpm", "/usr/lib/sysimage/rpm")
"""Where package managers keep what is installed: an image that has one stands on an operating system."""


def check(subject: Subject, days: int = 0, today: str = "") -> Finding:
    """Decide the claim by /etc/os-release and the table of releases, for a day `days` from now.

    `today` (2026-01-31) is for what must give the same answer on every day.
    """
    image = subject.image
    entry = os_release.find(image)
    if entry is None and not any(image.resolve(record) for record in RECORDS):
        return not_applicable("base-in-support", "holds no operating system: no os-release file, no packages")
    told = os_release.fields(entry)
    system, version = told.get("ID", ""), told.get("VERSION_ID", "")
    end = releases.end_of_support(system, version)
    name = told.get("PRETTY_NAME") or f"{system} {version}".strip()
    if end is None or entry is None:
        why = f"the table of releases does not know {name!r}" if entry else "there are packages, and no os-release file"
        return unknown("base-in-support", f"could not be shown that it {CLAIM}", [Evidence(why)])
    asked = (date.fromisoformat(today) if today else datetime.now(UTC).date()) + timedelta(days=days)
    seen = [evidence_of(subject, entry, f"{name}, supported until {end.isoformat()}")]
    if end < asked:
        return failed("base-in-support", f"{BROKEN}: {name}", seen, DO)
    return passed("base-in-support", f"stands on {name}, supported until {end.isoformat()}", seen)
