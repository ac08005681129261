"""Images put together: a config, the layers that it names, and the merged tree; of an engine or of an archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from stageproof.errors import ImageError
from stageproof.image import beside, contents, passing
from stageproof.image.archive import Archive
from stageproof.image.config import Config, parse
from stageproof.image.contents import Listed
from stageproof.image.merge import Merger
from stageproof.image.needles import Needles
from stageproof.image.platforms import Platform, choose
from stageproof.image.shelf import Shelf
from stageproof.image.store import Store
from stageproof.image.traffic import Traffic
from stageproof.image.tree import Image

NO_NEEDLES = Needles()

Describe = Callable[[str], Mapping[str, Any]]
Save = Callable[[list[str]], Iterable[bytes]]


def load(  # noqa: PLR0913 -- what a reading needs, each with its default
    names: Sequence[str],
    *,
    describe: Describe,
    save: Save,
    cache: Path,
    needles: Needles = NO_NEEDLES,
    traffic: Traffic | None = None,
) -> dict[str, Image]:
    """Give the images of an engine by the names asked for.

    `describe` is the engine's inspect, `save` its save for all names in one request, `cache` the folder of remembered
    layers. Raise ImageError where an image cannot be read, and whatever `describe` and `save` raise.
    """
    return of_engine(names, Shelf(Store(cache), needles, traffic=traffic), describe=describe, save=save)


def read_archive(pieces: Iterable[bytes], *, cache: Path, needles: Needles = NO_NEEDLES) -> dict[str, Image]:
    """Give the images of a docker archive or OCI layout (one tar) by tag, or id where they have none."""
    shelf = Shelf(Store(cache), needles)
    what = "the image archive"
    return {image.source: image for image in of_archive(passing.passing(pieces, what, shelf), what, shelf)}


def of_engine(
    names: Sequence[str], shelf: Shelf, *, describe: Describe, save: Save, platform: str = ""
) -> dict[str, Image]:
    """Give the images of an engine by name, of one platform (default: the one that the engine describes)."""
    described = {name: describe(name) for name in dict.fromkeys(names)}
    ids = {name: f"{about['Id']} {platform}".rstrip() for name, about in described.items()}
    configs = {key: _remembered(shelf, key, platform) for key in ids.values()}
    missing = {ids[name]: name for name in described if not _is_known(configs[ids[name]], shelf)}
    if missing:
        asked = list(missing.values())
        shelf.traffic.saved.append(tuple(asked))
        passed = passing.passing(save(asked), "what the engine saved", shelf, trusted=True)
        reader = contents.Reader("what the engine saved", passed.document)
        listed = reader.images()
        for key, name in missing.items():
            found = _of_id(listed, name, described[name], platform)
            _settle(found, passed, name)
            attached = beside.find(found, reader.beside, passed, shelf.limits)
            configs[key] = beside.noted(found.config, attached)
            shelf.store.remember_config(key, configs[key])
    merger = Merger()
    images = {}
    for name, about in described.items():
        config = cast("Mapping[str, Any]", configs[ids[name]])
        read = _image(str(about["Id"]), name, config, shelf, merger)
        images[name] = replace(read, attached=beside.of_noted(config))
    return images


def _remembered(shelf: Shelf, key: str, platform: str) -> object:
    """Give the config of an image, for a platform; one that was read without asking for a platform may be for it."""
    found = shelf.store.config(key)
    if found is None and platform:
        found = shelf.store.config(key.partition(" ")[0])
        if not isinstance(found, Mapping) or not Platform.written(platform).covers(Platform.of(found)):
            return None
    return found


def of_archive(source: Archive, what: str, shelf: Shelf, platform: str = "") -> list[Image]:
    """Give the images of an archive, each of one platform. Raises ImageError where one cannot be read."""
    by_name: dict[str, list[Listed]] = {}
    reader = contents.Reader(what, source.document)
    for one in reader.images():
        by_name.setdefault(one.name, []).append(one)
    merger = Merger()
    images = []
    for name, listed in by_name.items():
        for one in _chosen(listed, what, platform):
            _settle(one, source, what)
            read = _image(one.id, name or one.id, one.config, shelf, merger)
            images.append(replace(read, attached=beside.find(one, reader.beside, source, shelf.limits)))
    return images


def _chosen(listed: Sequence[Listed], what: str, asked: str) -> list[Listed]:
    """Pick of the images that share a name the one for the right platform; without a name they may be several."""
    there = {one.platform for one in listed}
    picked = choose(there, asked)
    if picked is None:
        raise _wrong_platform(listed[0].name or what, there, asked)
    different = list({one.id: one for one in listed if one.platform == picked}.values())
    if listed[0].name and len(different) > 1:
        failed = f"{what} cannot be read"
        seen = f"{listed[0].name} is the name of {len(different)} images for {picked}"
        raise ImageError(failed, seen=seen, why="which one is meant cannot be told")
    return different


def _wrong_platform(name: str, there: Iterable[Platform], asked: str) -> ImageError:
    failed = f"{name} is not there for {asked or Platform.here()}"
    known = ", ".join(str(one) for one in sorted(there))
    do = f"--platform {min(there)}" if there else ""
    return ImageError(failed, seen=f"it is there for {known}", why="each platform is an image of its own", do=do)


def _of_id(listed: Sequence[Listed], name: str, about: Mapping[str, Any], platform: str) -> Listed:
    image_id = str(about["Id"])
    of_it = [one for one in listed if image_id in one.ids]
    if not of_it:
        failed = f"the image {name} cannot be read"
        seen = f"what the engine saved does not hold {image_id}"
        raise ImageError(failed, seen=seen, why="its configuration names the layers")
    picked = choose({one.platform for one in of_it}, platform or str(Platform.of(about)))
    if picked is None:
        raise _wrong_platform(name, {one.platform for one in of_it}, platform)
    return next(one for one in of_it if one.platform == picked)


def _is_known(document: object, shelf: Shelf) -> bool:
    if not isinstance(document, Mapping) or "rootfs" not in document or not beside.is_noted(document):
        return False
    return all(shelf.layer(diff_id) is not None for diff_id in parse(document).diff_ids)


def _settle(one: Listed, source: Archive, what: str) -> None:
    """See to it that every layer of an image is at hand, and is the one that config and manifest say."""
    diff_ids = parse(one.config).diff_ids
    if len(diff_ids) != len(one.parts):
        raise _broken(what, f"its config names {len(diff_ids)} layers, and its manifest {len(one.parts)}")
    for diff_id, part in zip(diff_ids, one.parts, strict=True):
        found = source.layer(part.path, diff_id)
        if found is None:
            raise _broken(what, f"it holds no layer {part.path}, which its manifest names")
        digests, size = found
        if part.size not in {None, size}:
            raise _broken(what, f"the layer {part.path} has {size} bytes, and its manifest says {part.size}")
        if part.digest not in {"", digests.blob}:
            raise _broken(what, f"the layer {part.path} has another digest: {digests.blob}")
        if digests.diff_id != diff_id:
            raise _broken(what, f"the layer {part.path} is {digests.diff_id}, and the config says {diff_id}")


def _image(image_id: str, name: str, document: object, shelf: Shelf, merger: Merger) -> Image:
    config = parse(document)
    layers = []
    for number, diff_id in enumerate(config.diff_ids, start=1):
        layer = shelf.layer(diff_id)
        if layer is None:
            raise _broken(name, f"the layer {diff_id} is not at hand")
        layers.append(replace(layer, number=number, created_by=_created_by(config, number)))
    tree, brought_by = merger.merge(layers)
    return Image(image_id, name, config, tuple(layers), tree, brought_by, shelf.needles)


def _created_by(config: Config, number: int) -> str:
    steps = [step.created_by for step in config.history if not step.empty_layer]
    return steps[number - 1] if len(steps) == len(config.diff_ids) else ""


def _broken(what: str, seen: str) -> ImageError:
    failed = f"{what} cannot be read"
    why = "an image whose layers are not those that its config names is another image"
    return ImageError(failed, seen=seen, why=why, do="make or copy the archive again")
