"""Debian's real security suite knows of an update for a package of long ago."""

from __future__ import annotations

from pathlib import Path

import pytest

from stageproof.checks import load
from stageproof.checks.subject import Subject
from stageproof.model import Verdict
from stageproof.updates import Unavailable, apt
from tests.unit.conftest import Images

RELEASE = b"ID=debian\nVERSION_CODENAME=trixie\n"
STATUS = b"""Package: openssl
Status: install ok installed
Architecture: amd64
Version: 3.5.0-1

Package: tzdata
Status: install ok installed
Architecture: all
Version: 2025b-1
"""


def test_a_package_of_long_ago_lacks_an_update_of_today_s_security_suite(tmp_path: Path) -> None:
    try:
        apt.mirror()
    except Unavailable as error:
        pytest.skip(error.reason)
    images = Images(tmp_path)
    records = [images.file("etc/os-release", RELEASE), images.file("var/lib/dpkg/status", STATUS)]
    finding = load("no-pending-updates").check(Subject(images.image(records)))
    assert finding.verdict is Verdict.FAIL, finding
    assert "1 of 2 packages compared with the lists of trixie-security" in finding.message
    assert finding.evidence[0].text.startswith("openssl 3.5.0-1, and 3.5.")
