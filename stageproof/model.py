"""The project's words as frozen data; nothing here reads, runs or prints."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class Budget:
    """How large an image may be, in bytes: unpacked on disk, and compressed to pull."""

    disk: int
    pull: int


@dataclass(frozen=True)
class Limits:
    """What a container of a stack must be able to live with."""

    memory: int
    """Bytes, swap off."""
    pids: int
    start_seconds: float
    """The deadline for the first right answer."""


@dataclass(frozen=True)
class Stack:
    """A language with its app: one folder below `apps/`."""

    name: str
    title: str
    language: str
    description: str
    folder: Path
    compiled: bool
    source_suffixes: tuple[str, ...]
    dev_packages: tuple[str, ...]
    sdk: str
    """The reference that the stage `sdk` names: where a company CA goes."""
    limits: Limits
    budgets: Mapping[str, Budget]
    """By the variant's name."""
    varying: tuple[str, ...] = ()
    """Patterns of files whose bytes no two builds share."""


@dataclass(frozen=True)
class Claim:
    """One statement about an image, with its parameters: `graceful-stop`, {"seconds": 3}."""

    id: str
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """A way to package: one contract, and the Dockerfiles of that name (or of `dockerfile`)."""

    name: str
    title: str
    description: str
    dockerfile: str
    """The name of the Dockerfile that builds it: its own, or another variant's with other arguments."""
    args: Mapping[str, str]
    claims: tuple[Claim, ...]
    order: int
    """Where the variant stands in tables and plans."""


@dataclass(frozen=True)
class Base:
    """An image named by a `FROM`: one folder below `bases/`."""

    name: str
    folder: Path
    repository: str
    tags: tuple[str, ...]
    runtime: tuple[str, str] | None
    """The language runtime it brings, and its version: ("python", "3.13")."""
    end_of_life: date
    end_of_life_source: str
    differs: tuple[str, ...]
    """How the stand-in differs from the real image, a sentence each."""
    stand_in: Mapping[str, object]
    """The table `[stand-in]` of base.toml: how the stand-in is composed."""

    @property
    def references(self) -> tuple[str, ...]:
        """Every name by which a `FROM` may call it."""
        return tuple(f"{self.repository}:{tag}" for tag in self.tags)


@dataclass(frozen=True)
class Recipe:
    """Stack × variant: one Dockerfile and target, one image."""

    stack: Stack
    variant: Variant
    dockerfile: Path
    bases: tuple[str, ...]
    """The references that its `FROM` lines name, in order, with the build arguments put in."""

    @property
    def name(self) -> str:
        """The name as tables and bake targets write it: `go-distroless`."""
        return f"{self.stack.name}-{self.variant.name}"

    @property
    def budget(self) -> Budget:
        """The largest the image may be."""
        return self.stack.budgets[self.variant.name]


@dataclass(frozen=True)
class StandIn:
    """An image composed here that behaves like a base where no registry answers."""

    reference: str
    image: str
    image_id: str
    differs: tuple[str, ...]
    made_now: bool


class Verdict(enum.StrEnum):
    """What a check decided. Unknown is no pass: it fails a contract."""

    PASS = "pass"  # noqa: S105 -- a verdict, no password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True)
class Evidence:
    """One thing that a check saw: where, how large, who brought it."""

    text: str
    path: str = ""
    size: int | None = None
    layer: int | None = None
    """The layer's number, counted from 1, of the image's layers."""
    created_by: str = ""
    """The instruction that made the layer, as the image's history tells it."""
    origin: str = ""
    """Who brought it: "base NAME" or "app"; empty where the base is not known."""
    line: int | None = None
    """The line of the Dockerfile that brought it, where the file is known."""


@dataclass(frozen=True)
class Finding:
    """What a check saw in one image."""

    claim: str
    verdict: Verdict
    message: str
    evidence: tuple[Evidence, ...] = ()
    do: str = ""
    seconds: float = 0.0
