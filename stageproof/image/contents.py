"""Which images an archive holds, and which layers they are made of.

A docker archive tells it in `manifest.json` (Docker's "image tarball format"), an OCI layout in `index.json` (OCI image
specification, "Image Layout", "Image Index", "Image Manifest"); `docker save` writes both. Every document that is named
by a digest has to have it.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from stageproof.errors import ImageError
from stageproof.image.platforms import Platform

INDEX, MANIFEST = "index.json", "manifest.json"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NAMED = re.compile(r"(?:^|/)([0-9a-f]{64})(?:\.json)?$")
_MOST_MANIFESTS = 10_000
_LAYERS = ("application/vnd.oci.image.layer.", "application/vnd.docker.")
_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_WHY = "an archive that contradicts itself is read differently by every tool"

Document = Callable[[str], bytes | None]
"""Gives a document of the archive by its path; None if it is not there."""


@dataclass(frozen=True)
class Part:
    """One layer as the archive lists it."""

    path: str
    digest: str = ""
    """What the bytes at that path have to come to; empty: the archive does not say."""
    size: int | None = None


@dataclass(frozen=True)
class Listed:
    """One image as the archive lists it."""

    name: str
    """Its tag; empty if it has none."""
    id: str
    """The digest of its config."""
    config: Mapping[str, Any]
    parts: Sequence[Part]
    ids: frozenset[str]
    """Every digest by which an engine may call it: of the config, its manifest, and the indexes above."""
    manifest: str = ""
    """The digest of its manifest; empty where only a docker archive's own list names it."""

    @property
    def platform(self) -> Platform:
        """What the config says that it runs on."""
        return Platform.of(self.config)


@dataclass(frozen=True)
class Reader:
    """Reads the documents of one archive."""

    what: str
    document: Document
    visits: list[str] = field(default_factory=list)
    """Descriptors followed, each time: an index may name another one often."""
    beside: list[Mapping[str, Any]] = field(default_factory=list)
    """Descriptors of what stands beside the images: attestations, signatures. Nothing about them is proved."""

    def images(self) -> list[Listed]:
        """Give every image of the archive, of every platform, without attestations. Raises ImageError if none."""
        docker, oci = list(self._of_manifest()), list(self._of_index())
        listed = docker or oci
        if not listed:
            self._refuse("it names no image", "there is nothing to check", failed=f"{self.what} holds no image")
        for one in docker:
            # Only what has a name: of images without one, Docker 28 lists a single one in index.json.
            same = {other.id for other in oci if one.name and f"/{other.name}".endswith(f"/{one.name}")}
            if same and one.id not in same:
                self._refuse(f"{one.name} is {one.id} in {MANIFEST}, and {min(same)} in {INDEX}", _WHY)
        above = {one.id: one for one in oci}
        return [
            replace(one, ids=one.ids | above[one.id].ids, manifest=above[one.id].manifest) if one.id in above else one
            for one in listed
        ]

    def _of_manifest(self) -> Iterator[Listed]:
        """Give the images of a docker archive, one for each tag."""
        for image in self._list(MANIFEST):
            path = self._text(image.get("Config"), "the path of a config", MANIFEST)
            parts = [Part(layer, _named(layer)) for layer in self._texts(image.get("Layers"), "Layers", MANIFEST)]
            config, digest = self._config(path, _named(path))
            for name in self._texts(image.get("RepoTags") or [""], "RepoTags", MANIFEST):
                yield Listed(name, digest, config, parts, frozenset({digest}))

    def _of_index(self) -> Iterator[Listed]:
        """Give the images of an OCI layout."""
        data = self.document(INDEX)
        top = self._table(self._json(data, INDEX), INDEX) if data is not None else {}
        for descriptor in self._tables(top.get("manifests"), "manifests", INDEX):
            notes = descriptor.get("annotations") or {}
            name = next((str(notes[key]) for key in _NAMES if isinstance(notes, Mapping) and notes.get(key)), "")
            yield from self._below(descriptor, name, frozenset())

    def _below(self, descriptor: Mapping[str, Any], name: str, above: frozenset[str]) -> Iterator[Listed]:
        """Follow a descriptor to the images under it: a manifest, or an index of more descriptors."""
        if _is_attestation(descriptor):
            self._note(descriptor)
            return
        digest = self._digest(descriptor)
        if len(self.visits) > _MOST_MANIFESTS or len(above) > 8:  # noqa: PLR2004 -- indexes in indexes
            self._refuse("its indexes are too many, or too deep in each other", _WHY)
        self.visits.append(digest)
        data = self._blob(descriptor, missing_is_error=not above)
        if data is None:
            return  # an index may name platforms that were not copied with it
        document = self._table(self._json(data, digest), digest)
        ids = above | {digest}
        for each in self._tables(document.get("manifests"), "manifests", digest):
            yield from self._below(each, name, ids)
        if isinstance(document.get("config"), Mapping):
            if _is_artifact(document):
                self._note(descriptor)
            else:
                yield from self._manifest(document, digest, name, ids)

    def _note(self, descriptor: Mapping[str, Any]) -> None:
        if len(self.beside) < _MOST_MANIFESTS:
            self.beside.append(descriptor)

    def _manifest(self, document: Mapping[str, Any], digest: str, name: str, ids: frozenset[str]) -> Iterator[Listed]:
        """Give the image of a manifest; nothing where it is another artifact, such as a signature."""
        about = self._table(document.get("config"), digest)
        data = self._blob(about, missing_is_error=True) or b""
        config = self._json(data, self._digest(about)) if data.lstrip().startswith(b"{") else None
        if not isinstance(config, Mapping) or "rootfs" not in config:
            return
        layers = self._tables(document.get("layers"), "layers", digest)
        parts = [Part(_path(self._digest(one)), self._digest(one), _size(one)) for one in layers]
        yield Listed(name, self._digest(about), config, parts, ids | {self._digest(about)}, digest)

    def _config(self, path: str, named: str) -> tuple[Mapping[str, Any], str]:
        data = self.document(path)
        if data is None:
            self._refuse(f"{MANIFEST} names {path}, which is not there", "the config says what to run")
        digest = _digest_of(data)
        if named and named != digest:
            self._refuse(f"{path} is named by a digest, and its content has another: {digest}", _WHY)
        return self._table(self._json(data, path), path), digest

    def _blob(self, descriptor: Mapping[str, Any], *, missing_is_error: bool) -> bytes | None:
        digest, size = self._digest(descriptor), _size(descriptor)
        data = self.document(_path(digest))
        if data is None:
            if missing_is_error:
                self._refuse(f"the document {digest} is named and not there", "it leads to the layers")
            return None
        if _digest_of(data) != digest or size not in {None, len(data)}:
            self._refuse(f"the document {digest} has another content: {_digest_of(data)}, {len(data)} bytes", _WHY)
        return data

    def _digest(self, descriptor: Mapping[str, Any]) -> str:
        digest = descriptor.get("digest")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            self._refuse(f"{str(digest)[:100]!r} is no sha256 digest", "blobs are found by their digest")
        return digest

    def _list(self, path: str) -> Sequence[Mapping[str, Any]]:
        data = self.document(path)
        return self._tables(self._json(data, path), "its content", path) if data is not None else []

    def _json(self, data: bytes, path: str) -> Any:  # noqa: ANN401 -- JSON
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            self._refuse(f"{path} is no JSON: {error}", "it says which layers make an image")

    def _table(self, value: object, where: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self._refuse(f"{where} is not an object: {str(value)[:100]!r}", "it cannot be followed to the layers")
        return value

    def _tables(self, value: object, what: str, where: str) -> Sequence[Mapping[str, Any]]:
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            self._refuse(f"{what} of {where} is no list of objects", "it cannot be followed to the layers")
        return value

    def _texts(self, value: object, what: str, where: str) -> Sequence[str]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self._refuse(f"{what} of {where} is no list of texts", "it cannot be followed to the layers")
        return value

    def _text(self, value: object, what: str, where: str) -> str:
        if not isinstance(value, str):
            self._refuse(f"{what} in {where} is no text", "it cannot be followed to the layers")
        return value

    def _refuse(self, seen: str, why: str, *, failed: str = "") -> NoReturn:
        do = "make the archive again, with `docker save` or `docker buildx build --output type=oci`"
        raise ImageError(failed or f"{self.what} cannot be read", seen=seen, why=why, do=do)


def _is_attestation(descriptor: Mapping[str, Any]) -> bool:
    """BuildKit's attestations stand beside the images, for the platform unknown/unknown (its "Attestation storage")."""
    platform = descriptor.get("platform")
    return isinstance(platform, Mapping) and "unknown" in (platform.get("os"), platform.get("architecture"))


def _is_artifact(manifest: Mapping[str, Any]) -> bool:
    """Whether none of its layers says that it is one of an image: cosign gives its signatures a config as images have.

    Types: OCI image specification, "Media Types"; Docker's image manifest version 2, schema 2.
    """
    layers = manifest.get("layers")
    if not isinstance(layers, list) or not layers:
        return False
    types = [one.get("mediaType") if isinstance(one, Mapping) else None for one in layers]
    return all(isinstance(each, str) and each and not each.startswith(_LAYERS) for each in types)


def _size(descriptor: Mapping[str, Any]) -> int | None:
    size = descriptor.get("size")
    return size if isinstance(size, int) else None


def _path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/', 1)}"


def _named(path: str) -> str:
    """Give the digest that a file is named by; Docker names blobs and configs so, and layers of old only a folder."""
    match = _NAMED.search(posixpath.normpath(path))
    return f"sha256:{match[1]}" if match else ""


def _digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
