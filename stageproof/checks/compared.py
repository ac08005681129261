"""Two images side by side, path by path: what the claims about a sibling or a second build share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from stageproof.checks.subject import Subject, evidence_of
from stageproof.image import Entry, Image
from stageproof.model import Evidence

_SETTINGS = ("user", "entrypoint", "cmd", "workdir", "shell", "exposed", "healthcheck", "stop_signal", "volumes")


@dataclass(frozen=True)
class Pair:
    """The image that a claim is about, the one that it is compared with, and what a finding calls them."""

    subject: Subject
    other: Image
    here: str
    there: str


def files(pair: Pair, extra: Sequence[str] = (), varying: Sequence[str] = ()) -> Iterator[Evidence]:
    """Name each path that differs in kind, link, mode, owner, attributes or content, or is in one image only.

    Nothing below the folders `extra` is compared. `varying` are patterns of files whose bytes alone may differ.
    """
    image, other = pair.subject.image, pair.other
    for path in sorted({*image.tree, *other.tree}):
        if any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in extra):
            continue
        here, there = image.find(path), other.find(path)
        if here is None or there is None:
            yield Evidence(f"only in {pair.there if here is None else pair.here}", path)
            continue
        free = any(fnmatchcase(path, form) for form in varying)
        differences = [name for name in _differences(here, there) if not (free and name == "content")]
        if differences:
            yield evidence_of(pair.subject, here, f"differs in {', '.join(differences)}")


def _differences(here: Entry, there: Entry) -> Iterator[str]:
    if here.kind is not there.kind or here.link != there.link:
        yield "kind"
    if here.mode != there.mode:
        yield f"mode ({here.mode:04o}, {there.mode:04o})"
    if (here.uid, here.gid) != (there.uid, there.gid):
        yield f"owner ({here.uid}:{here.gid}, {there.uid}:{there.gid})"
    if here.attributes != there.attributes:
        yield "extended attributes"
    if here.sha256 != there.sha256:
        yield "content"


def configuration(pair: Pair, extra: Sequence[str] = ()) -> Iterator[Evidence]:
    """Name each setting and variable that differs; labels say when and of what it was built, and are not compared.

    One of the folders `extra` may stand at the end of PATH.
    """
    config, other = pair.subject.image.config, pair.other.config
    for name in _SETTINGS:
        here, there = getattr(config, name), getattr(other, name)
        if here != there:
            yield Evidence(f"the configuration differs in {name}: {here}, {there}")
    for name in sorted({*config.env, *other.env}):
        value, before = config.env.get(name), other.env.get(name)
        if value != before and not (name == "PATH" and value in {f"{before}:{folder}" for folder in extra}):
            yield Evidence(f"the configuration differs in the variable {name}")
