"""time-zone: every time that the image tells is right, whatever zone it runs in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from stageproof.checks.running import abroad, ended, live_of
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options, Running
from stageproof.live.restrictions import ZONE
from stageproof.model import Evidence, Finding

ID = "time-zone"
CLAIM = "tells the right time in another time zone"
BROKEN = "tells a wrong time in another time zone"
WHY = "Times without their zone are hours off as soon as a machine stands elsewhere, and nobody can tell by how much."

STAMP = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:[.,]\d+)? ?(?P<zone>Z|[+-]\d\d:?\d\d)?"
    r"|(?P<common>\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})"
)
COMMON = "%d/%b/%Y:%H:%M:%S %z"
NEAR = timedelta(minutes=5)
"""How far a line's time may be from when it came: no zone is less than a quarter of an hour from another."""
SHOWN = 3


def check(subject: Subject, path: str = "/") -> Finding:
    """Start it with TZ of another zone, and compare every time in its log and answers with the engine's clock."""
    live = live_of(subject)
    try:
        with abroad(live, Options(env={"TZ": ZONE}), path) as (running, request):
            date = running.ask(request).header("Date")
            told = [*_log(running), *_header(date)]
    except ContainerError as error:
        return ended(ID, error)
    if not told:
        return unknown(
            ID, "tells no time: neither its log nor its answers hold one", do="write the time into each line"
        )
    wrong = [Evidence(f"at {true:%H:%M:%S} UTC it wrote: {text}") for text, said, true in told if _far(said, true)]
    if wrong:
        return failed(ID, BROKEN, wrong[:SHOWN], do="write times in UTC with a Z, or with their offset")
    seen = [Evidence(f"with TZ={ZONE} it wrote: {text}") for text, _, _ in told[:SHOWN]]
    return passed(ID, CLAIM, [*seen, Evidence(f"{len(told)} times were compared with the engine's clock")])


def _log(running: Running) -> Iterator[tuple[str, datetime, datetime]]:
    for true, line in running.container.timed_lines():
        found = STAMP.search(line)
        if found:
            yield line, _read(found), true


def _header(date: str | None) -> list[tuple[str, datetime, datetime]]:
    return [(f"Date: {date}", parsedate_to_datetime(date), datetime.now(UTC))] if date else []


def _read(found: re.Match[str]) -> datetime:
    """Read a time as whoever reads the log will: without an offset it is UTC."""
    if found["common"]:
        return datetime.strptime(found["common"], COMMON).astimezone(UTC)
    zone = found["zone"] or "Z"
    return datetime.fromisoformat(f"{found['day']}T{found['time']}{'+00:00' if zone == 'Z' else zone}")


def _far(said: datetime, true: datetime) -> bool:
    return abs((said if said.tzinfo else said.replace(tzinfo=UTC)) - true) > NEAR
