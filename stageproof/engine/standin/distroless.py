"""Distroless images, composed as distroless composes them: a layer for each package, then one for each item."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path

from stageproof.engine.standin.debian_package import merged_usr
from stageproof.engine.standin.items import ITEMS, Material
from stageproof.engine.standin.layer import Entry, Layer, write_layer

EPOCH = "1970-01-01T00:00:00Z"
_NONROOT = "65532"


@dataclass(frozen=True)
class Family:
    """One distroless repository, as its base.toml describes it."""

    name: str
    parent: Family | None
    packages: tuple[str, ...]
    items: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    debug_items: tuple[str, ...] = ()
    debug_env: tuple[str, ...] = ()
    debug_entrypoint: tuple[str, ...] = ()
    copied: tuple[Entry, ...] = field(default=(), repr=False)
    """Files that come from another stand-in, with the folders above them."""

    def lineage(self) -> Iterator[Family]:
        """Give the families from the first ancestor down to this one."""
        if self.parent:
            yield from self.parent.lineage()
        yield self


@dataclass(frozen=True)
class ComposedImage:
    """An image to be loaded: its names in the engine, its layers, its configuration."""

    name: str
    layers: tuple[Layer, ...]
    config: bytes


class Composer:
    """Writes layers below one folder; a layer that two images share is written once."""

    def __init__(self, material: Material, folder: Path, architecture: str) -> None:
        self._material = material
        self._folder = folder
        self._architecture = architecture
        self._layers: dict[str, Layer] = {}

    def compose(self, family: Family, tag: str, name: str, labels: Mapping[str, str]) -> ComposedImage:
        """Compose one tag of a family; `debug` and `nonroot` in the tag say which kind it is."""
        debug = "debug" in tag
        layers = tuple(layer for ancestor in family.lineage() for layer in self._own_layers(ancestor, debug=debug))
        config = {
            "architecture": self._architecture,
            "os": "linux",
            "created": EPOCH,
            "config": _settings(family, tag, labels),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
            "history": [{"created": EPOCH, "created_by": layer.note} for layer in layers],
        }
        return ComposedImage(name, layers, json.dumps(config, indent=1).encode())

    def _own_layers(self, family: Family, *, debug: bool) -> Iterator[Layer]:
        for package in family.packages:
            yield self._package_layer(package)
        for item in (*family.items, *(family.debug_items if debug else ())):
            yield self._layer(f"distroless: {item}", partial(ITEMS[item], self._material))
        if family.copied:
            yield self._layer(f"distroless: files of {family.name}", lambda: iter(family.copied))

    def _package_layer(self, name: str) -> Layer:
        package = self._material.packages[name]

        def entries() -> Iterator[Entry]:
            # base-files brings /bin -> usr/bin and its like; all others have to go through them.
            yield from package.entries if name == "base-files" else merged_usr(package.entries)
            yield from package.status_entries()

        return self._layer(f"Debian package {name} {package.version}", entries)

    def _layer(self, note: str, entries: Callable[[], Iterator[Entry]]) -> Layer:
        if note not in self._layers:
            self._layers[note] = write_layer(entries(), self._folder, note)
        return self._layers[note]


def write_archive(images: Sequence[ComposedImage], archive: Path) -> None:
    """Write one archive that `docker load` takes: all images, each layer once."""
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        files = {path: layer.file for image in images for path, layer in _paths(image)}
        for path, file in files.items():
            tar.add(file, path)
        manifest = []
        for image in images:
            config = f"{hashlib.sha256(image.config).hexdigest()}.json"
            _add(tar, config, image.config)
            paths = [path for path, _ in _paths(image)]
            manifest.append({"Config": config, "RepoTags": [image.name], "Layers": paths})
        _add(tar, "manifest.json", json.dumps(manifest).encode())


def _paths(image: ComposedImage) -> Iterator[tuple[str, Layer]]:
    """Give each layer its place in the archive; a package that a parent has too (zlib1g) needs a second one."""
    seen: Counter[str] = Counter()
    for layer in image.layers:
        yield f"{layer.digest}-{seen[layer.digest]}.tar", layer
        seen[layer.digest] += 1


def _settings(family: Family, tag: str, labels: Mapping[str, str]) -> dict[str, object]:
    debug = "debug" in tag
    env: dict[str, str] = {}
    entrypoint: tuple[str, ...] = ()
    for ancestor in family.lineage():
        own = (*ancestor.env, *(ancestor.debug_env if debug else ()))
        env |= dict(setting.split("=", 1) for setting in own)
        entrypoint = ancestor.entrypoint or (ancestor.debug_entrypoint if debug else ()) or entrypoint
    nonroot = "nonroot" in tag
    settings: dict[str, object] = {
        "User": _NONROOT if nonroot else "0",
        "WorkingDir": "/home/nonroot" if nonroot else "/",
        "Env": [f"{name}={value}" for name, value in env.items()],
        "Labels": dict(labels),
    }
    return settings | ({"Entrypoint": list(entrypoint)} if entrypoint else {})


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, BytesIO(content))
