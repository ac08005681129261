"""Package lists of a Debian release, fetched once a UTC day by whoever asks first, and shared by all processes."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from stageproof.engine import home
from stageproof.updates import apt
from stageproof.updates.apt import Unavailable

SILENT_SECONDS = 3.0
"""How long nothing at all may come: a machine without a network is to learn that soon."""
FETCH_SECONDS = 180.0
"""How long all of it may take; it is some ten megabytes."""
REMEMBERED_SECONDS = 60.0
"""How long a failure holds for whoever asks next: many images are asked about in one run, and by several processes."""
_FETCHED, _FAILED, _LOG = "fetched", "failed", "log"
_COMPLAINT = re.compile(r"^(?:E|W: GPG error|W: Conflicting distribution): ")
_OTHER_RELEASE = "W: Conflicting distribution"
"""To apt this is a warning: the signature is good, and the lists are still not those that were asked for."""
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


@dataclass(frozen=True)
class Lists:
    """The lists of a release for one architecture, with their signatures verified."""

    folder: Path
    codename: str
    date: date
    """The day on which Debian signed the security suite's list."""


def cache_folder() -> Path:
    """Give the folder of all lists."""
    return home.default_home().folder.parent / "updates"


def of_today(codename: str, architecture: str) -> Lists:
    """Give the lists of a release, of its updates and of its security suite; fetch them if nobody did today.

    Raises Unavailable: no apt, no Debian mirror known, no network, no such suite, a signature that is not verified.
    """
    sources = apt.mirror().sources(codename)
    digest = hashlib.sha256(sources.encode()).hexdigest()[:12]
    place = cache_folder() / f"{codename}-{architecture}-{digest}"
    try:
        with _locked(place):
            folder = place / datetime.now(UTC).date().isoformat()
            if not (folder / _FETCHED).exists():
                _refuse_again(place)
                try:
                    _fetch(folder, sources, architecture, codename)
                except Unavailable as error:
                    note = {"at": time.time(), "reason": error.reason, "seen": error.seen}
                    _write(place / _FAILED, json.dumps(note))
                    raise
                _remove_old(place, folder)
            return Lists(folder, codename, date.fromisoformat((folder / _FETCHED).read_text()))
    except (OSError, ValueError) as error:
        reason = f"the folder of package lists cannot be used: {place}"
        raise Unavailable(reason, str(error)) from error


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _refuse_again(place: Path) -> None:
    """Raise the failure of a moment ago."""
    try:
        note = json.loads((place / _FAILED).read_text())
    except (OSError, ValueError):
        return
    if 0 <= time.time() - note["at"] < REMEMBERED_SECONDS:
        raise Unavailable(note["reason"], note["seen"])


def _fetch(folder: Path, sources: str, architecture: str, codename: str) -> None:
    """Have apt fetch the lists. The note that says so is written last: a run that was killed leaves nothing whole."""
    shutil.rmtree(folder, ignore_errors=True)
    apt.configure(folder, sources, architecture)
    problem = _update(folder)
    log = _CREDENTIALS.sub("//", (folder / _LOG).read_text(errors="replace"))
    complaints = [line.strip() for line in log.splitlines() if _COMPLAINT.match(line)]
    if not problem and any(line.startswith(_OTHER_RELEASE) for line in complaints):
        problem = "the mirror has another release in its place"
    if problem:
        reason = f"the package lists of {codename} cannot be had: {problem}"
        raise Unavailable(reason, "\n".join(complaints[-6:]))
    _write(folder / _FETCHED, _day(folder, codename).isoformat())


def _update(folder: Path) -> str:
    """Run `apt-get update`; give what is wrong, or nothing."""
    with (folder / _LOG).open("wb") as log:
        process = subprocess.Popen(
            ["apt-get", "update", "--quiet=2"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=apt.environment(folder), cwd="/", start_new_session=True,
        )  # fmt: skip
        try:
            if not home.wait_until(lambda: process.poll() is not None or _has_begun(folder), SILENT_SECONDS):
                return f"nothing came within {SILENT_SECONDS:g} s"
            code = process.wait(FETCH_SECONDS)
        except subprocess.TimeoutExpired:
            return f"not done after {FETCH_SECONDS:g} s"
        else:
            return f"apt-get update ended with exit code {code}" if code else ""
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _has_begun(folder: Path) -> bool:
    files = [*folder.glob(f"{apt.LISTS}/*"), *folder.glob(f"{apt.LISTS}/partial/*")]
    return any(path.is_file() and path.stat().st_size for path in files)


def _day(folder: Path, codename: str) -> date:
    """Give the date of the security suite's Release file: apt has verified its signature."""
    for path in (folder / apt.LISTS).glob(f"*{codename}-security_*Release"):
        if found := re.search(r"^Date: (.+)$", path.read_text(errors="replace"), re.MULTILINE):
            return parsedate_to_datetime(found[1]).date()
    reason = f"apt kept no Release file of {codename}-security"
    raise Unavailable(reason)


def _remove_old(place: Path, folder: Path) -> None:
    """Remove what is older than yesterday: somebody may still read that."""
    kept = {folder.name, (date.fromisoformat(folder.name) - timedelta(days=1)).isoformat()}
    for each in place.iterdir():
        if each.is_dir() and each.name not in kept:
            shutil.rmtree(each, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".new-{path.name}")
    beside.write_text(text)
    beside.replace(path)
