"""What stands beside an image in its layout is found here, and read in `attestations`.

Forms: BuildKit's attestation manifests (its "Image attestation storage"), cosign's signatures and attestations (its
"Signature specification"), and manifests whose `subject` is the image (OCI image specification 1.1; cosign's "Bundle
specification"). An annotation only says where to look: every blob has to have its digest, and has to name the image.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from stageproof.errors import ImageError
from stageproof.image.archive import Archive
from stageproof.image.attestations import BUNDLE, ENVELOPE, SIMPLE_SIGNING, STATEMENT, Attached, Attachment
from stageproof.image.contents import MANIFEST, Listed
from stageproof.image.limits import Limits

_READ = (STATEMENT, ENVELOPE, BUNDLE, SIMPLE_SIGNING)
_SIGNATURE = "dev.cosignproject.cosign/signature"
_TYPE, _ABOUT = "vnd.docker.reference.type", "vnd.docker.reference.digest"
_KINDS = ("dev.cosignproject.cosign/sigs", "dev.cosignproject.cosign/atts")
_TAG = re.compile(r"sha256-([0-9a-f]{64})\.(?:sig|att)$")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_BLOBS = "blobs/sha256"
_LARGEST_MANIFEST = 4 << 20
"""Bytes; registries need not take larger ones (OCI distribution specification, "Pushing Manifests")."""
_NOTED = "stageproof.attached"
"""Where it stands in the remembered config of an engine's image."""


def find(listed: Listed, beside: Iterable[Mapping[str, Any]], source: Archive, limits: Limits) -> Attached | None:
    """Give what is attached to an image; None if its source has no manifest of it that anything could be about.

    `beside` are the descriptors of the layout that are no image's. What cannot be read is no error here: it is told.
    """
    if not listed.manifest:
        return None
    indexes = tuple(sorted(listed.ids - {listed.id, listed.manifest}))
    seeker = _Seeker(source, frozenset({listed.manifest, *indexes}), limits, limits.documents)
    for descriptor in beside:
        seeker.look_at(descriptor)
    seeker.look_through()
    return Attached(listed.manifest, indexes, tuple(seeker.found.values()), source.document(MANIFEST) is None)


def noted(config: Mapping[str, Any], attached: Attached | None) -> dict[str, Any]:
    """Put it into a config that is to be remembered."""
    return {**config, _NOTED: msgspec.to_builtins(attached)}


def is_noted(config: Mapping[str, Any]) -> bool:
    """Whether it was looked for when this config was remembered, and can be read again."""
    try:
        of_noted(config)
    except (KeyError, msgspec.MsgspecError):
        return False
    return True


def of_noted(config: Mapping[str, Any]) -> Attached | None:
    """Take it out of a remembered config."""
    return msgspec.convert(config[_NOTED], Attached | None)


@dataclass
class _Seeker:
    """Looks for what is attached to an image, in bounds."""

    source: Archive
    targets: frozenset[str]
    limits: Limits
    left: int
    """Bytes that may still be read."""
    found: dict[tuple[str, str], Attachment] = field(default_factory=dict)
    manifests: set[tuple[str, bool | None]] = field(default_factory=set)

    def look_at(self, descriptor: Mapping[str, Any]) -> None:
        """Take in the blobs of a manifest, if it or its descriptor says that it is about the image."""
        digest, is_about = _shown(descriptor), _is_about(descriptor, self.targets)
        if is_about is False or (digest, is_about) in self.manifests:
            return
        self.manifests.add((digest, is_about))
        blob = self._blob(descriptor)
        manifest = _object(blob.data) if blob.data else None
        layers = _layers(manifest)
        if is_about is None and (manifest is None or _subject(manifest) not in self.targets):
            return
        if layers is None:
            self._add(replace(blob, data=b"", problem=blob.problem or "is no manifest"))
        for layer in layers or ():
            self._take(layer)

    def look_through(self) -> None:
        """Look through all blobs for manifests whose subject is the image: cosign lists them in no index.

        See its issue 4695, "OCI artifact referrers should be listed in the index.json".
        """
        left, largest = self.limits.documents, min(_LARGEST_MANIFEST, self.limits.document)
        for path in self.source.documents_at(_BLOBS, largest):
            digest = f"sha256:{path.rpartition('/')[2]}"
            if left <= 0:
                self._add(
                    Attachment(digest, problem="and others were not looked at: they are too many bytes", too_large=True)
                )
                return
            data = self.source.document(path) or b""
            left -= len(data)
            if b'"subject"' in data and _subject(_object(data) or {}) in self.targets:
                self.look_at({"digest": digest})

    def _take(self, layer: Mapping[str, Any]) -> None:
        media_type = layer.get("mediaType")
        if not isinstance(media_type, str) or not media_type.startswith(_READ):
            return  # "unknown media types should be ignored" (BuildKit, "Image attestation storage")
        signature = str(_notes(layer).get(_SIGNATURE) or "")
        self._add(replace(self._blob(layer), media_type=media_type, signature=signature))

    def _add(self, attachment: Attachment) -> None:
        self.found.setdefault((attachment.digest, attachment.signature), attachment)

    def _blob(self, descriptor: Mapping[str, Any]) -> Attachment:
        """Give a blob, or why it cannot be had."""
        named, digest, size = _shown(descriptor), descriptor.get("digest"), descriptor.get("size")
        if named != digest:
            return Attachment(named, problem="is named by no sha256 digest")
        if self.left <= 0 or (isinstance(size, int) and size > self.limits.document):
            return Attachment(named, problem="was not read: it is too large, or all together is", too_large=True)
        try:
            data = self.source.document(f"{_BLOBS}/{named.removeprefix('sha256:')}")
        except ImageError as error:
            return Attachment(named, problem=f"was not read: {error.seen}", too_large=True)
        self.left -= len(data or b"")
        problem = _problem(data, named, size)
        return Attachment(named, data=b"" if problem or data is None else data, problem=problem)


def _problem(data: bytes | None, digest: str, size: object) -> str:
    """Say why bytes are not those that a descriptor means."""
    if data is None:
        return "is named, and not there"
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
        return "has another content than its digest says"
    if isinstance(size, int) and size != len(data):
        return f"has {len(data)} bytes, and its descriptor says {size}"
    return ""


def _is_about(descriptor: Mapping[str, Any], targets: frozenset[str]) -> bool | None:
    """Whether a descriptor says that its manifest is about one of these; None: only the manifest can tell."""
    notes = _notes(descriptor)
    if _TYPE in notes:
        return notes[_TYPE] == "attestation-manifest" and str(notes.get(_ABOUT)) in targets
    if notes.get("kind") in _KINDS:  # `cosign save` makes a layout of one image
        return True
    tag = _TAG.search(str(notes.get("org.opencontainers.image.ref.name")))
    return f"sha256:{tag[1]}" in targets if tag else None


def _shown(descriptor: Mapping[str, Any]) -> str:
    digest = str(descriptor.get("digest"))
    return digest if _DIGEST.fullmatch(digest) else repr(digest[:100])


def _notes(descriptor: Mapping[str, Any]) -> Mapping[str, Any]:
    notes = descriptor.get("annotations")
    return notes if isinstance(notes, Mapping) else {}


def _object(data: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping) else None


def _subject(manifest: Mapping[str, Any]) -> str:
    subject = manifest.get("subject")
    return str(subject.get("digest")) if isinstance(subject, Mapping) else ""


def _layers(manifest: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]] | None:
    layers = manifest.get("layers") if manifest is not None else None
    if not isinstance(layers, list) or not all(isinstance(one, Mapping) for one in layers):
        return None
    return layers
