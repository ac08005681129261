"""Images with attestations and signatures beside them, made as BuildKit and cosign make them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from stageproof.image import Image, Needles, sources
from tests.unit.conftest import elf, file, tar
from tests.unit.image.layouts import IN_TOTO, Layout, Signed, statement

SPDX, CYCLONEDX = "https://spdx.dev/Document", "https://cyclonedx.org/bom"
V02, V1 = "https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1"
STATUS = b"Package: tzdata\nStatus: install ok installed\nVersion: 2026a-1\n\n"
LAYER = tar([file("app/run", elf(), 0o755), file("var/lib/dpkg/status.d/tzdata", STATUS)])
STEPS = [{"id": "step0", "op": {"Op": {"source": {"identifier": "local://context"}}}}]

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass
class Attested:
    """An image in a layout under construction: `attach` before `image`."""

    folder: Path
    layers: tuple[bytes, ...] = (LAYER,)
    layout: Layout = field(default_factory=Layout)
    beside: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def about(self) -> dict[str, Any]:
        """The descriptor of the image's manifest."""
        return self.layout.image(*self.layers, Entrypoint=["/app/run"], User="65532")

    @property
    def digest(self) -> str:
        """The digest of the image's manifest."""
        return str(self.about["digest"])

    def attach(self, *statements: bytes, kind: str = IN_TOTO) -> Attested:
        """Attach statements as BuildKit does."""
        self.beside.append(self.layout.attest(self.about, *statements, kind=kind))
        return self

    def state(self, predicate_type: str, predicate: object) -> Attested:
        """Attach one right statement about the image."""
        return self.attach(statement(predicate_type, predicate, self.digest))

    def write(self) -> Path:
        """Write the layout as a folder."""
        self.layout.list(self.layout.index(self.about, *self.beside), "it:1")
        return self.layout.folder(self.folder / "layout")

    def image(self, needles: Needles | None = None) -> Image:
        """Write the layout, and read the image."""
        return read(self.write(), self.folder / "cache", needles=needles or Needles())


def read(source: Path | str, cache: Path, **options: Any) -> Image:
    """Read the one image of a source."""
    return sources.read([str(source)], cache=cache, **options)[str(source)][0]


def spdx(*packages: tuple[str, str]) -> dict[str, Any]:
    """Make an SPDX document of packages."""
    listed = [{"name": name, "SPDXID": f"SPDXRef-{name}", "versionInfo": version} for name, version in packages]
    return {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "packages": listed}


def cyclonedx(*packages: tuple[str, str]) -> dict[str, Any]:
    """Make a CycloneDX document of packages, each below another component."""
    below = [{"type": "library", "name": name, "version": version} for name, version in packages]
    return {"bomFormat": "CycloneDX", "components": [{"type": "application", "name": "app", "components": below}]}


def provenance_v02(mode: str, **more: Any) -> dict[str, Any]:
    """Make what BuildKit 0.2x of Docker 28.5 writes as SLSA v0.2, shortened."""
    whole = {"buildConfig": {"llbDefinition": STEPS}} if mode == "max" else {}
    return {
        "builder": {"id": ""},
        "buildType": "https://mobyproject.org/buildkit@v1",
        "invocation": {"configSource": {"entryPoint": "Dockerfile"}, "parameters": {"frontend": "dockerfile.v0"}},
        "metadata": {"completeness": {"parameters": mode == "max", "environment": True, "materials": False}},
        **whole,
        **more,
    }


def provenance_v1(mode: str) -> dict[str, Any]:
    """Make what the same BuildKit writes as SLSA v1, shortened."""
    inside = {"builderPlatform": "linux/amd64"}
    whole = {"buildConfig": {"llbDefinition": STEPS}} if mode == "max" else {}
    return {
        "buildDefinition": {
            "buildType": "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
            "externalParameters": {"configSource": {"path": "Dockerfile"}},
            "internalParameters": {**inside, **whole},
        },
        "runDetails": {
            "builder": {"id": ""},
            "metadata": {"buildkit_completeness": {"request": mode == "max", "resolvedDependencies": False}},
        },
    }


def p256() -> Key:
    """Make a key as cosign does."""
    return ec.generate_private_key(ec.SECP256R1())


def ed() -> Key:
    """Make an Ed25519 key."""
    return ed25519.Ed25519PrivateKey.generate()


KEYS: list[Callable[[], Key]] = [p256, ed]


def public(key: Key, path: Path) -> str:
    """Write the public key as PEM, and give the path."""
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return str(path)


def signature(key: Key, message: bytes) -> str:
    """Sign, and give base64."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return base64.b64encode(key.sign(message)).decode()
    return base64.b64encode(key.sign(message, ec.ECDSA(SHA256()))).decode()


def simple(key: Key, digest: str) -> Signed:
    """Sign a digest in cosign's first form."""
    critical = {"image": {"docker-manifest-digest": digest}, "type": "cosign container image signature"}
    payload = json.dumps({"critical": critical, "optional": None}).encode()
    return Signed(payload, signature(key, payload))


def envelope(key: Key, payload: bytes) -> dict[str, Any]:
    """Sign a statement in a DSSE envelope."""
    message = b"DSSEv1 %d %s %d %s" % (len(IN_TOTO), IN_TOTO.encode(), len(payload), payload)
    signed = [{"sig": signature(key, message)}]
    return {"payload": base64.b64encode(payload).decode(), "payloadType": IN_TOTO, "signatures": signed}


def bundle(key: Key, digest: str, predicate_type: str = "https://sigstore.dev/cosign/sign/v1") -> bytes:
    """Sign a digest as cosign does from its version 3 on."""
    kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
    return json.dumps(
        {"mediaType": kind, "dsseEnvelope": envelope(key, statement(predicate_type, {}, digest))}
    ).encode()
