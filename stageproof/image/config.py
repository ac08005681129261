"""The configuration of an image, typed: the JSON document that its id is the digest of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from stageproof.errors import ImageError

NANOSECONDS = 1_000_000_000
_LARGEST_NUMBER = 2**63


@dataclass(frozen=True)
class Healthcheck:
    """HEALTHCHECK as declared; `test` begins with CMD, CMD-SHELL or NONE. Durations in seconds, 0: default."""

    test: tuple[str, ...]
    interval: float = 0
    timeout: float = 0
    start_period: float = 0
    retries: int = 0


@dataclass(frozen=True)
class Step:
    """One line of the history."""

    created_by: str
    empty_layer: bool


@dataclass(frozen=True)
class Config:
    """What the image says about how it is to be run."""

    platform: str
    user: str
    env: Mapping[str, str]
    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]
    workdir: str
    shell: tuple[str, ...]
    """What runs the shell form."""
    exposed: tuple[str, ...]
    """As declared, such as `8080/tcp`."""
    healthcheck: Healthcheck | None
    labels: Mapping[str, str]
    stop_signal: str
    volumes: tuple[str, ...]
    created: str
    history: tuple[Step, ...]
    diff_ids: tuple[str, ...]

    @property
    def command(self) -> tuple[str, ...]:
        """ENTRYPOINT and CMD, as they are started together."""
        return self.entrypoint + self.cmd

    def texts(self) -> Iterator[tuple[str, str]]:
        """Give every text that a secret may stand in: (place, text)."""
        yield from (("history", step.created_by) for step in self.history)
        yield from (("environment", f"{name}={value}") for name, value in self.env.items())
        yield from (("labels", f"{name}={value}") for name, value in self.labels.items())
        yield from (("command", word) for word in (*self.command, *(self.healthcheck.test if self.healthcheck else ())))


def parse(document: object) -> Config:
    """Read the config JSON of an image; raise ImageError where its shape is not what the format says."""
    top = _table(document, "config")
    run = _table(top.get("config") or {}, "config.config")
    rootfs = _table(top.get("rootfs") or {}, "config.rootfs")
    return Config(
        platform=f"{top.get('os') or 'linux'}/{top.get('architecture') or 'unknown'}",
        user=str(run.get("User") or ""),
        env=dict(_pair(line) for line in _texts(run.get("Env"), "Env")),
        entrypoint=_texts(run.get("Entrypoint"), "Entrypoint"),
        cmd=_texts(run.get("Cmd"), "Cmd"),
        workdir=str(run.get("WorkingDir") or "/"),
        shell=_texts(run.get("Shell"), "Shell") or ("/bin/sh", "-c"),
        exposed=tuple(sorted(_table(run.get("ExposedPorts") or {}, "ExposedPorts"))),
        healthcheck=_healthcheck(run.get("Healthcheck")),
        labels={name: str(value) for name, value in _table(run.get("Labels") or {}, "Labels").items()},
        stop_signal=str(run.get("StopSignal") or ""),
        volumes=tuple(sorted(_table(run.get("Volumes") or {}, "Volumes"))),
        created=str(top.get("created") or ""),
        history=tuple(_step(line) for line in _list(top.get("history"), "history")),
        diff_ids=_texts(rootfs.get("diff_ids"), "diff_ids"),
    )


def _healthcheck(value: object) -> Healthcheck | None:
    if value is None:
        return None
    table = _table(value, "Healthcheck")
    return Healthcheck(
        test=_texts(table.get("Test"), "Healthcheck.Test"),
        interval=_number(table.get("Interval")) / NANOSECONDS,
        timeout=_number(table.get("Timeout")) / NANOSECONDS,
        start_period=_number(table.get("StartPeriod")) / NANOSECONDS,
        retries=int(_number(table.get("Retries"))),
    )


def _step(value: object) -> Step:
    table = _table(value, "history")
    return Step(created_by=str(table.get("created_by") or ""), empty_layer=bool(table.get("empty_layer")))


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name, value


def _number(value: object) -> float:
    # JSON knows no bounds: 1e400 is infinite here, and a whole number of 400 digits is no float at all.
    is_usual = isinstance(value, (int, float)) and -_LARGEST_NUMBER < value < _LARGEST_NUMBER
    return float(cast("float", value)) if is_usual else 0.0


def _table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _wrong(where, "an object", value)
    return cast("Mapping[str, object]", value)


def _list(value: object, where: str) -> Sequence[object]:
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise _wrong(where, "a list", value)
    return value


def _texts(value: object, where: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    items = _list(value, where)
    if not all(isinstance(item, str) for item in items):
        raise _wrong(where, "a list of texts", value)
    return cast("tuple[str, ...]", tuple(items))


def _wrong(where: str, wanted: str, value: object) -> ImageError:
    failed = "the image's configuration cannot be read"
    return ImageError(failed, seen=f"{where} is not {wanted}: {str(value)[:200]!r}", why="every check needs it")
