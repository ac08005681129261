"""Stand-ins: images composed here from distribution packages, for bases whose registry does not answer.

Each is made once under a key of its inputs, and again only when one of them changed. None has an upstream name.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from docker.errors import ImageNotFound

from stageproof.engine.client import Engine
from stageproof.engine.standin import debootstrap, families
from stageproof.engine.standin.building import Workshop, build_dockerfile
from stageproof.engine.standin.composition import Composition, compositions, differences
from stageproof.model import Base, StandIn

_AT_ONCE = 4
"""Downloads and unpacking overlap well, also on two cores."""
_DISTROLESS = "distroless"


def ensure(  # noqa: PLR0913 -- each one is a fact of the run that only the caller knows
    bases: Sequence[Base],
    engine: Engine,
    *,
    ca_bundle: Path | None,
    cache: Path,
    progress: Callable[[str], None],
    only: Collection[str] | None = None,
) -> dict[str, StandIn]:
    """Give the stand-ins of all references, or of `only` some, and make those that are missing. Raises BaseError."""
    known = compositions(bases)
    wanted = {
        reference: composition
        for composition in known.values()
        for reference in composition.base.references
        if only is None or reference in only
    }
    before = _present(engine, wanted)
    made_now: set[str] = set()
    if len(before) < len(wanted):
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / "stand-ins.lock", progress):
            workshop = Workshop(engine, ca_bundle, cache, _one_at_a_time(progress))
            made_now = _make_missing(workshop, known, wanted)
    there = before if len(before) == len(wanted) else _present(engine, wanted)
    return {
        reference: StandIn(
            reference=reference,
            image=composition.image(reference),
            image_id=there[reference],
            differs=differences(composition, known),
            made_now=reference in made_now,
        )
        for reference, composition in wanted.items()
    }


def _present(engine: Engine, wanted: Mapping[str, Composition]) -> dict[str, str]:
    """Give the image ids of those that are there already; a list of all images takes the longer, the more there are."""
    client = engine.connect()
    there = {}
    try:
        for reference, composition in wanted.items():
            with suppress(ImageNotFound):
                there[reference] = str(client.images.get(composition.image(reference)).id)
    finally:
        client.close()
    return there


def _make_missing(workshop: Workshop, known: Mapping[str, Composition], wanted: Mapping[str, Composition]) -> set[str]:
    missing = _missing(workshop.engine, known, wanted)
    steps = _steps(known, missing)
    slots = threading.Semaphore(_AT_ONCE)
    running: dict[str, Future[None]] = {}
    with ThreadPoolExecutor(max(1, len(steps))) as pool:
        for name, members in steps.items():
            needs = [running[step] for step in dict.fromkeys(_needed_steps(members, known)) if step in running]
            work = partial(_step, workshop, known, {each: missing[each] for each in members})
            running[name] = pool.submit(_in_turn, slots, needs, work)
        try:
            for step in running.values():
                step.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {reference for references in missing.values() for reference in references}


def _in_turn(slots: threading.Semaphore, needs: Sequence[Future[None]], work: Callable[[], None]) -> None:
    """Do the work when all that it needs is there and a slot is free. What a need failed with, this fails with."""
    for need in needs:
        need.result()
    with slots:
        work()


def _missing(
    engine: Engine, known: Mapping[str, Composition], wanted: Mapping[str, Composition]
) -> dict[str, list[str]]:
    """Give what has to be made: missing references by base, in the order of `known`, with what those need."""
    missing: dict[str, list[str]] = {}
    asked = {name: [ref for ref, each in wanted.items() if each.name == name] for name in known}
    for name in reversed(list(known)):
        composition = known[name]
        references = dict.fromkeys(asked[name], composition)
        absent = [reference for reference in references if reference not in _present(engine, references)]
        if absent:
            missing[name] = absent
            for need in _images_needed(composition, known):
                asked[need] = list(known[need].base.references)
    return {name: missing[name] for name in known if name in missing}


def _images_needed(composition: Composition, known: Mapping[str, Composition]) -> Iterator[str]:
    """Name the stand-ins that must be in the engine to make one; distroless parents are composed anew, in no time."""
    for need in composition.needs:
        if known[need].kind == _DISTROLESS:
            yield from _images_needed(known[need], known)
        else:
            yield need


def _steps(known: Mapping[str, Composition], missing: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Put the distroless families that wait for the same images into one step; every other base is a step of its own.

    A step stands after those that it waits for, since `missing` has parents before children.
    """
    steps: dict[str, list[str]] = {}
    for name in missing:
        images = dict.fromkeys(_images_needed(known[name], known))
        step = f"{_DISTROLESS} on {', '.join(images)}" if known[name].kind == _DISTROLESS else name
        steps.setdefault(step, []).append(name)
    return steps


def _needed_steps(members: Sequence[str], known: Mapping[str, Composition]) -> Iterator[str]:
    """Name the bases that a step waits for, through all generations."""
    for member in members:
        yield from known[member].needs
        yield from _needed_steps(known[member].needs, known)


def _step(workshop: Workshop, known: Mapping[str, Composition], missing: Mapping[str, Sequence[str]]) -> None:
    contexts = {
        reference: composition.image(reference)
        for composition in known.values()
        if composition.kind != _DISTROLESS
        for reference in composition.base.references
    }
    names = ", ".join(missing)
    first = known[next(iter(missing))]
    workshop.progress(f"making the stand-in of {names}")
    if first.kind == "debootstrap":
        debootstrap.make(workshop, first)
    elif first.kind == "dockerfile":
        build_dockerfile(workshop, first, contexts)
    else:
        families.make(workshop, known, missing, contexts)
    workshop.progress(f"made the stand-in of {names}")


def _one_at_a_time(progress: Callable[[str], None]) -> Callable[[str], None]:
    """Let makers that run side by side speak one after the other."""
    lock = threading.Lock()

    def tell(text: str) -> None:
        with lock:
            progress(text)

    return tell


@contextmanager
def _locked(path: Path, progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the only right to make stand-ins; the kernel gives it back when the process ends, however it does."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another run is making stand-ins; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
