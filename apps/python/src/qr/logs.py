"""Logs: one JSON object a line on standard output, gunicorn's own lines included."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from gunicorn.glogging import Logger


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; `extra={"fields": {...}}` adds keys."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        time = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": "error" if record.levelno >= logging.ERROR else record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class GunicornLogger(Logger):
    """gunicorn's logger, but its lines go where the application's go."""

    def setup(self, cfg: object) -> None:
        """Set the level as gunicorn does, and hand the lines on."""
        super().setup(cfg)
        self.error_log.propagate = True


def configure(level: str) -> None:
    """Send every line of this level and above to standard output, each one at once."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
