"""Names of images -> images, reading as little as possible: what is remembered is not asked for again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stageproof.errors import ImageError
from stageproof.image import archive
from stageproof.image.archive import Documents
from stageproof.image.config import Config, parse
from stageproof.image.needles import Needles
from stageproof.image.store import Store
from stageproof.image.tree import Image, Layer, merge

NO_NEEDLES = Needles()


def load(
    names: Sequence[str],
    *,
    describe: Callable[[str], Mapping[str, Any]],
    save: Callable[[list[str]], Iterable[bytes]],
    cache: Path,
    needles: Needles = NO_NEEDLES,
) -> dict[str, Image]:
    """Give the images of an engine by the names asked for.

    `describe` is the engine's inspect, `save` its save for all names in one request, `cache` the folder of remembered
    layers. Raise ImageError where an image cannot be read, and whatever `describe` and `save` raise.
    """
    store = Store(cache)
    described = {name: describe(name) for name in dict.fromkeys(names)}
    ids = {name: str(about["Id"]) for name, about in described.items()}
    seen: dict[str, Layer] = {}
    missing = {ids[name]: name for name in described if not _is_known(store, ids[name], needles, seen)}
    if missing:
        documents = archive.read(save(list(missing.values())), store, needles)
        for image_id, name in missing.items():
            store.remember_config(image_id, _config_of(documents, image_id, described[name]))
    return {name: _image(store, image_id, name, needles, seen) for name, image_id in ids.items()}


def read_archive(pieces: Iterable[bytes], *, cache: Path, needles: Needles = NO_NEEDLES) -> dict[str, Image]:
    """Give the images of a docker archive or OCI layout (one tar) by tag, or id where they have none."""
    store = Store(cache)
    documents = archive.read(pieces, store, needles)
    seen: dict[str, Layer] = {}
    images: dict[str, Image] = {}
    for name, digest in _contents(documents).items():
        store.remember_config(digest, documents.by_digest[digest])
        images[name] = _image(store, digest, name, needles, seen)
    if not images:
        failed = "the archive holds no image"
        raise ImageError(failed, seen="neither manifest.json nor index.json names one", why="there is nothing to check")
    return images


def _is_known(store: Store, image_id: str, needles: Needles, seen: dict[str, Layer]) -> bool:
    document = store.config(image_id)
    if not isinstance(document, dict) or "rootfs" not in document:
        return False
    for diff_id in parse(document).diff_ids:
        layer = seen.get(diff_id) or store.layer(diff_id, needles)
        if layer is None:
            return False
        seen[diff_id] = layer
    return True


def _image(store: Store, image_id: str, name: str, needles: Needles, seen: dict[str, Layer]) -> Image:
    config = parse(store.config(image_id))
    layers = []
    for number, diff_id in enumerate(config.diff_ids, start=1):
        if diff_id not in seen:
            seen[diff_id] = _layer(store, diff_id, name, needles)
        layers.append(replace(seen[diff_id], number=number, created_by=_created_by(config, number)))
    tree, brought_by = merge(layers)
    return Image(image_id, name, config, tuple(layers), tree, brought_by, needles)


def _layer(store: Store, diff_id: str, name: str, needles: Needles) -> Layer:
    layer = store.layer(diff_id, needles)
    if layer is None:
        failed = f"{name} cannot be read"
        raise ImageError(failed, seen=f"the archive holds no layer {diff_id}", why="its configuration names it")
    return layer


def _created_by(config: Config, number: int) -> str:
    steps = [step.created_by for step in config.history if not step.empty_layer]
    return steps[number - 1] if len(steps) == len(config.diff_ids) else ""


def _config_of(documents: Documents, image_id: str, about: Mapping[str, Any]) -> object:
    digest = _config_digest(documents, image_id, (str(about.get("Os") or ""), str(about.get("Architecture") or "")))
    if digest is None:
        failed = f"the image {image_id} cannot be read"
        raise ImageError(
            failed, seen="what the engine saved does not hold its configuration", why="it names the layers"
        )
    return documents.by_digest[digest]


def _config_digest(documents: Documents, digest: str, platform: tuple[str, str]) -> str | None:
    """Follow index and manifest to the config. In the classic store an image's id is the config's digest already."""
    document = documents.by_digest.get(digest)
    if not isinstance(document, dict):
        return None
    if "rootfs" in document:
        return digest
    if isinstance(document.get("config"), dict):
        return _config_digest(documents, str(document["config"].get("digest")), platform)
    for manifest in document.get("manifests", ()):
        about = manifest.get("platform", {})
        if (about.get("os"), about.get("architecture")) == platform or not about:
            found = _config_digest(documents, str(manifest.get("digest")), platform)
            if found:
                return found
    return None


def _contents(documents: Documents) -> dict[str, str]:
    """Name -> digest of the config, of every image in the archive."""
    found: dict[str, str] = {}
    for image in documents.manifest:
        digest = documents.by_path.get(str(image.get("Config")))
        for name in image.get("RepoTags") or ([digest] if digest else []):
            if digest:
                found[str(name)] = digest
    for manifest in documents.index.get("manifests", ()) if not found else ():
        digest = _any_config(documents, str(manifest.get("digest")))
        if digest:
            notes = manifest.get("annotations") or {}
            found[
                str(notes.get("io.containerd.image.name") or notes.get("org.opencontainers.image.ref.name") or digest)
            ] = digest
    return found


def _any_config(documents: Documents, digest: str) -> str | None:
    for platform in (("linux", "amd64"), ("linux", "arm64")):
        found = _config_digest(documents, digest, platform)
        if found:
            return found
    return None
