"""The times that a container tells: in the lines of its log, and in the Date header of its answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from stageproof.live import Answer, Container

STAMP = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:[.,]\d+)? ?(?P<zone>Z|[+-]\d\d:?\d\d)?"
    r"|(?P<common>\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})"
)
COMMON = "%d/%b/%Y:%H:%M:%S %z"


@dataclass(frozen=True)
class Told:
    """One time that it told, and when it did."""

    text: str
    said: datetime
    true: datetime

    @property
    def ahead(self) -> timedelta:
        """How far what it said lies ahead of the engine's clock."""
        return (self.said if self.said.tzinfo else self.said.replace(tzinfo=UTC)) - self.true


def told(container: Container, answer: Answer) -> list[Told]:
    """Give every time in its log, and the one of an answer that came just now."""
    return [*_log(container), *_header(answer.header("Date"))]


def _log(container: Container) -> Iterator[Told]:
    for true, line in container.timed_lines():
        found = STAMP.search(line)
        if found:
            yield Told(line, _read(found), true)


def _header(date: str | None) -> list[Told]:
    return [Told(f"Date: {date}", parsedate_to_datetime(date), datetime.now(UTC))] if date else []


def _read(found: re.Match[str]) -> datetime:
    """Read a time as whoever reads the log will: without an offset it is UTC."""
    if found["common"]:
        return datetime.strptime(found["common"], COMMON).astimezone(UTC)
    zone = found["zone"] or "Z"
    return datetime.fromisoformat(f"{found['day']}T{found['time']}{'+00:00' if zone == 'Z' else zone}")
