"""The configuration: read once from the environment, checked before anything else starts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qr.digits import whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_LEVELS = ("debug", "info", "warning", "error")
LONGEST_WAIT = 3600


class ConfigError(Exception):
    """A variable has a value that cannot be used; the message is one line and names it."""


@dataclass(frozen=True)
class Config:
    """What the environment says; seconds are whole."""

    port: int = 8080
    log_level: str = "info"
    drain_seconds: int = 1
    shutdown_seconds: int = 8
    version: str = "0.0.0"
    commit: str = "unknown"
    built: str = "unknown"
    unhealthy_after: int | None = None
    delay: int = 0


def read(environment: Mapping[str, str]) -> Config:
    """Read the configuration; ConfigError at the first variable that cannot be used."""

    def number(name: str, default: int, low: int = 0, high: int = LONGEST_WAIT) -> int:
        value = environment.get(name)
        if value is None:
            return default
        found = whole_number(value, low, high)
        if found is None:
            message = f"{name}: {json.dumps(value)} is not a whole number from {low} to {high}"
            raise ConfigError(message)
        return found

    level = environment.get("LOG_LEVEL", Config.log_level)
    if level not in LOG_LEVELS:
        message = f"LOG_LEVEL: {json.dumps(level)} is not one of {', '.join(LOG_LEVELS)}"
        raise ConfigError(message)
    return Config(
        port=number("PORT", Config.port, low=1, high=65535),
        log_level=level,
        drain_seconds=number("DRAIN_SECONDS", Config.drain_seconds),
        shutdown_seconds=number("SHUTDOWN_SECONDS", Config.shutdown_seconds),
        version=environment.get("APP_VERSION", Config.version),
        commit=environment.get("APP_COMMIT", Config.commit),
        built=environment.get("APP_BUILT", Config.built),
        unhealthy_after=number("CHAOS_UNHEALTHY_AFTER", 0) if environment.get("CHAOS_UNHEALTHY_AFTER") else None,
        delay=number("CHAOS_DELAY", 0) if environment.get("CHAOS_DELAY") else 0,
    )
