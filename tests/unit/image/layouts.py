"""OCI layouts and docker archives made by hand, right ones and wrong ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.conftest import file, tar

ATTESTATION = {"os": "unknown", "architecture": "unknown"}


IN_TOTO = "application/vnd.in-toto+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def config_of(*layers: bytes, architecture: str = "amd64", **config: Any) -> bytes:
    ids = [f"sha256:{digest(layer)}" for layer in layers]
    document = {"os": "linux", "architecture": architecture, "rootfs": {"diff_ids": ids}, "config": config}
    return json.dumps(document).encode()


def descriptor(data: bytes, **more: Any) -> dict[str, Any]:
    return {"digest": f"sha256:{digest(data)}", "size": len(data), **more}


def statement(predicate_type: str, predicate: object, *subjects: str) -> bytes:
    """Write an in-toto statement about digests."""
    about = [{"name": "it", "digest": {"sha256": each.removeprefix("sha256:")}} for each in subjects]
    top = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": predicate_type}
    return json.dumps({**top, "subject": about, "predicate": predicate}).encode()


@dataclass(frozen=True)
class Signed:
    """A payload of simple signing, and its signature in base64."""

    payload: bytes
    signature: str


@dataclass
class Layout:
    """An OCI layout under construction."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    top: list[Mapping[str, Any]] = field(default_factory=list)

    def put(self, data: bytes, **more: Any) -> dict[str, Any]:
        """Add a blob, and give its descriptor."""
        self.blobs[digest(data)] = data
        return descriptor(data, **more)

    def image(
        self, *layers: bytes, packed: Sequence[bytes] | None = None, architecture: str = "amd64", **config: Any
    ) -> dict[str, Any]:
        """Add an image, and give the descriptor of its manifest; `packed` are the layers as they are to stand there."""
        about = self.put(config_of(*layers, architecture=architecture, **config))
        parts = [self.put(blob) for blob in packed or layers]
        return self.put(
            json.dumps({"config": about, "layers": parts}).encode(),
            platform={"os": "linux", "architecture": architecture},
        )

    def attest(self, about: Mapping[str, Any], *blobs: bytes, kind: str = IN_TOTO) -> dict[str, Any]:
        """Add an attestation manifest beside an image, as BuildKit does, and give its descriptor."""
        parts = [self.put(blob, mediaType=kind) for blob in blobs]
        notes = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about["digest"]}
        data = json.dumps({"config": self.put(b"{}"), "layers": parts}).encode()
        return self.put(data, platform=ATTESTATION, annotations=notes)

    def sign(self, signed: Signed) -> dict[str, Any]:
        """Add a signature in cosign's first form, and give the descriptor of its manifest."""
        notes = {"dev.cosignproject.cosign/signature": signed.signature}
        part = self.put(signed.payload, mediaType=SIMPLE_SIGNING, annotations=notes)
        about = self.put(config_of(signed.payload, architecture=""))  # cosign gives it a config such as images have
        return self.put(json.dumps({"config": about, "layers": [part]}).encode())

    def refer(self, about: Mapping[str, Any], blob: bytes, kind: str = BUNDLE) -> dict[str, Any]:
        """Add a manifest whose subject is the image, with one blob, and give its descriptor."""
        document = {
            "artifactType": kind,
            "config": self.put(b"{}", mediaType="application/vnd.oci.empty.v1+json"),
            "layers": [self.put(blob, mediaType=kind)],
            "subject": {"digest": about["digest"], "size": about["size"]},
        }
        return self.put(json.dumps(document).encode())

    def index(self, *manifests: Mapping[str, Any]) -> dict[str, Any]:
        """Add an index over manifests, and give its descriptor."""
        return self.put(json.dumps({"manifests": manifests}).encode())

    def list(self, about: Mapping[str, Any], name: str = "") -> None:
        """Name something in index.json."""
        notes = {"annotations": {"org.opencontainers.image.ref.name": name}} if name else {}
        self.top.append({**about, **notes})

    def files(self) -> dict[str, bytes]:
        """Give every file by path."""
        blobs = {f"blobs/sha256/{name}": data for name, data in self.blobs.items()}
        contents = json.dumps({"manifests": self.top}).encode()
        return {**blobs, "index.json": contents, "oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}

    def folder(self, path: Path) -> Path:
        """Write it as a folder."""
        for name, data in self.files().items():
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return path

    def tar(self) -> bytes:
        """Write it as a tar."""
        return tar([file(name, data) for name, data in self.files().items()])
