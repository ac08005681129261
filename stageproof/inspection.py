"""Anybody's images against a contract: only read, or run hardened and without a network if that is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from docker import DockerClient

from stageproof import decided, verify
from stageproof import order as asked
from stageproof.checks.subject import Subject
from stageproof.dockerfile import Dockerfile
from stageproof.engine import find, home, images
from stageproof.engine.client import failures_as_errors
from stageproof.errors import ImageError
from stageproof.image import Image, sources
from stageproof.image.sources import needs_engine
from stageproof.image.store import Store
from stageproof.order import Order
from stageproof.verify import Judged, Verified

if TYPE_CHECKING:
    from stageproof.live import Live

_STILL_AT_WORK = 1.0
"""Seconds that an engine may take for a request whose sender has gone away."""

Progress = Callable[[str], None]
Starter = Callable[[Image], "Live"]


def _quiet(_: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Found:
    """An image that was read, and what a check may have of it."""

    name: str
    image: Image
    dockerfile: Dockerfile | None
    bases: Mapping[str, Image]
    second: Image | None
    starter: Starter | None

    @contextmanager
    def subject(self) -> Iterator[Subject]:
        """Give the image as the subject of its checks; its containers are removed at the end."""
        with ExitStack() as undo:
            live = undo.enter_context(self.starter(self.image)) if self.starter else None
            yield Subject(
                self.image,
                bases=self.bases,
                second=self.second,
                dockerfile=self.dockerfile,
                live=live,
                elsewhere=True,
            )


@contextmanager
def opened(order: Order, *, progress: Progress = _quiet, stdin: BinaryIO | None = None) -> Iterator[list[Found]]:
    """Read the images of an order, in one request to the engine; open what is needed to run them, if that is asked.

    Raises an Error where an image cannot be read, or not be run.
    """
    if order.run:
        asked.refuse_archives(order.sources)
    with failures_as_errors(), ExitStack() as undo:
        read = _read(order, _Opened(progress, undo), undo, stdin)
        yield [found for of_source in read.values() for found in of_source]


def _read(order: Order, engine: _Opened, undo: ExitStack, stdin: BinaryIO | None) -> dict[str, list[Found]]:
    engine.progress(f"reading {', '.join(order.sources)}")
    read = sources.read(
        order.sources,
        cache=cache_folder(),
        engine=engine.images,
        platform=order.platform,
        needles=asked.needles(order.contract),
        stdin=stdin,
    )
    starter = engine.starter(undo) if order.run else None
    second = engine.second(order)
    return {
        source: [
            Found(_name(source, image, images_), image, order.dockerfile, engine.bases(order, image), second, starter)
            for image in images_
        ]
        for source, images_ in read.items()
    }


def inspect(order: Order, *, today: date, progress: Progress = _quiet, stdin: BinaryIO | None = None) -> list[Verified]:
    """Decide every claim about every image. Raises an Error where an image cannot be read, or not be run.

    What was decided before about an engine's image that has not changed is not decided again; see `decided`.
    """
    if order.run:
        asked.refuse_archives(order.sources)
    with failures_as_errors(), ExitStack() as undo:
        engine = _Opened(progress, undo)
        keys = engine.keys(order)
        store = Store(cache_folder())
        before = {name: found for name, key in keys.items() if (found := decided.recall(store, key)) is not None}
        left = replace(order, sources=[source for source in order.sources if source not in before])
        read = _read(left, engine, undo, stdin) if left.sources else {}
        verified = []
        for source in dict.fromkeys(order.sources):
            if source in before:
                verified.append(before[source])
                continue
            for each in read[source]:
                progress(f"deciding {len(order.contract.claims)} claims about {each.name}")
                verified.append(_verified(order, each))
            if source in keys and engine.key(order, source) == keys[source]:
                decided.remember(store, keys[source], verified[-1])
    return verify.with_ignores(verified, order.ignores, today)


def cache_folder() -> Path:
    """Give the folder of remembered layers."""
    return home.default_home().folder.parent / "layers"


class _Opened:
    """The engine, opened when something first asks for it, and closed at the end."""

    def __init__(self, progress: Progress, undo: ExitStack) -> None:
        self.progress = progress
        self._undo = undo

    @cached_property
    def client(self) -> DockerClient:
        opened = images.reach(self.progress)
        self._undo.callback(opened.close)
        return opened

    def images(self) -> images.Images:
        return images.Images(self.client)

    def keys(self, order: Order) -> dict[str, str]:
        """Give the keys under which findings are remembered: of the engine's images, where all is named by a digest."""
        second = asked.second(order.contract)
        if order.run or (second and not needs_engine(second)):
            return {}
        return {name: self.key(order, name) for name in order.sources if needs_engine(name)}

    def key(self, order: Order, name: str) -> str:
        """Give the key under which the findings of one of the engine's images are remembered."""
        about = self.images().describe(name)
        base = asked.base(order, (about.get("Config") or {}).get("Labels") or {})
        others = (base, asked.second(order.contract))
        ids = [about["Id"], *(self._id_of(other) if other else "" for other in others), *asked.files(order.contract)]
        return decided.key(ids, name, order.contract, order.platform, order.dockerfile)

    @cache  # noqa: B019 -- as long as the engine is open, and it is closed at the end
    def _id_of(self, name: str) -> str:
        """Give an image's id; empty where the engine has none of that name: nobody has to have the base at hand."""
        try:
            return str(self.images().describe(name)["Id"])
        except ImageError:
            return ""

    def bases(self, order: Order, image: Image) -> Mapping[str, Image]:
        """Give the bases that the Dockerfile or the image itself names, as far as the open engine has them."""
        if "client" not in self.__dict__:
            return {}
        named = asked.base(order, image.config.labels)
        if not named:
            return {}
        try:
            found = sources.read([named], cache=cache_folder(), engine=self.images, platform=order.platform)
        except ImageError:
            return {}  # nobody has to have the base at hand: findings then do not say whose a file is
        return {named: found[named][0]}

    def second(self, order: Order) -> Image | None:
        """Give the second build that the contract names. Raises an Error where it cannot be read."""
        named = asked.second(order.contract)
        if not named:
            return None
        return sources.read([named], cache=cache_folder(), engine=self.images, platform=order.platform)[named][0]

    def starter(self, undo: ExitStack) -> Starter:
        """Have the helper image, and give what starts containers of an image."""
        # Slow to import, and reading needs none of it.
        from stageproof import helper  # noqa: PLC0415
        from stageproof.live import Live, Run, sigterm_as_interrupt, sweep  # noqa: PLC0415

        undo.enter_context(sigterm_as_interrupt())
        run = Run.new()
        sweep(self.client)
        undo.enter_context(_emptied_when_interrupted(self.client, run.id))
        image = helper.ensure(self.client, lambda: find.ensure(self.progress), run)
        return lambda each: Live(self.client, each.id, run=run, helper_image=image, hardened=True)


@contextmanager
def _emptied_when_interrupted(client: DockerClient, run: str) -> Iterator[None]:
    """Remove whatever a run still has after an interruption, at whatever moment that came."""
    from stageproof.live import remove_run  # noqa: PLC0415 -- slow to import
    from stageproof.live.wait import until  # noqa: PLC0415 -- the same

    def never_done() -> None:
        remove_run(client, run)

    try:
        yield
    except KeyboardInterrupt:
        # A request that was interrupted may still be at work in the engine: what it makes appears a moment later.
        until(never_done, _STILL_AT_WORK)
        raise


def _name(source: str, image: Image, found: Sequence[Image]) -> str:
    """Give the name to show: as it was asked for, and which of its images where an archive holds several."""
    return source if len(found) == 1 else f"{source} {image.source}"


def _verified(order: Order, found: Found) -> Verified:
    begun = time.monotonic()
    claims = [claim for claim in order.contract.claims if order.run or not verify.needs_container(claim.id)]
    with found.subject() as subject:
        findings = verify.decide_all(claims, subject, verify.AT_ONCE if order.run else 1)
        judged = [
            Judged(finding, verify.is_reported_only(claim)) for claim, finding in zip(claims, findings, strict=True)
        ]
    return Verified(
        source=found.name,
        digest=found.image.id,
        platform=found.image.platform,
        contract=order.contract.name,
        layers=len(found.image.layers),
        disk=found.image.disk,
        judged=tuple(judged),
        not_run=tuple(claim.id for claim in order.contract.claims if claim not in claims),
        seconds=time.monotonic() - begun,
        dockerfile=order.dockerfile.path if order.dockerfile else "",
    )
