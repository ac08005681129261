"""The project's folders, and an engine to work with: what every job of this repository begins with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from stageproof.engine import find, home
from stageproof.live.sweep import sweep

if TYPE_CHECKING:
    from docker import DockerClient

    from stageproof.catalog import Catalog
    from stageproof.engine.client import Engine


@dataclass(frozen=True)
class Workbench:
    """The project's folders, and an engine to work with."""

    catalog: Catalog
    engine: Engine
    client: DockerClient

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.catalog.root

    @cached_property
    def info(self) -> Mapping[str, Any]:
        """What the engine says about itself."""
        return cast("Mapping[str, Any]", self.client.info())

    @property
    def engine_id(self) -> str:
        """The engine's own id: images of one engine are not in another."""
        return str(self.info["ID"])


def open_engine(read: Catalog, progress: Callable[[str], None]) -> Workbench:
    """Find or start an engine, and remove what dead runs left in it. Raises EngineError."""
    engine = find.ensure(progress)
    client = engine.connect()
    sweep(client)
    return Workbench(catalog=read, engine=engine, client=client)


def cache_folder() -> Path:
    """Give the one folder below which everything is kept that is worth keeping between runs."""
    return home.default_home().folder.parent
