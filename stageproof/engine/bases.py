"""Which images stand behind the `FROM` references of a run: real ones where a registry answers, stand-ins otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stageproof.catalog import Catalog
from stageproof.engine import registry, standin
from stageproof.engine.client import Engine
from stageproof.errors import BaseError
from stageproof.model import StandIn

MODES = ("auto", "registry", "stand-in")


@dataclass(frozen=True)
class Bases:
    """What a run builds on."""

    stand_ins: Mapping[str, StandIn]
    """By the reference that they replace; references that are not here come from their registry."""
    answering: frozenset[str]
    """The registries that answered the probe; empty too when none was asked."""

    @property
    def contexts(self) -> dict[str, str]:
        """The named contexts that put the stand-ins in place."""
        return {reference: f"docker-image://{each.image}" for reference, each in self.stand_ins.items()}


def choose(  # noqa: PLR0913 -- each one is a fact of the run that only the caller knows
    mode: str,
    references: Sequence[str],
    catalog: Catalog,
    engine: Engine,
    *,
    ca_bundle: Path | None,
    cache: Path,
    progress: Callable[[str], None],
) -> Bases:
    """Decide for each reference, and make the stand-ins that are missing.

    Raises BaseError if mode is `registry` and one does not answer, or a stand-in cannot be made.
    """
    wanted = list(dict.fromkeys(references))
    for reference in wanted:
        catalog.base(reference)  # an unknown one is an error before anything is asked or made
    answering = frozenset[str]() if mode == "stand-in" else registry.reachable(wanted, engine)
    missing = [reference for reference in wanted if registry.host(reference) not in answering]
    if mode == "registry" and missing:
        silent = ", ".join(sorted({registry.host(reference) for reference in missing}))
        failed = f"--bases registry was asked for, and {silent} does not answer"
        why = "the real images cannot be pulled"
        raise BaseError(failed, seen=f"no answer within {registry.SECONDS:g} s", why=why, do="use --bases stand-in")
    if not missing:
        return Bases(stand_ins={}, answering=answering)
    made = standin.ensure(catalog.bases, engine, ca_bundle=ca_bundle, cache=cache, progress=progress, only=missing)
    return Bases(stand_ins={reference: made[reference] for reference in missing}, answering=answering)
