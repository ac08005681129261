"""The company's certificate authority: found on the host, laid over the stage `sdk`, and nowhere else."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import certifi

from stageproof.engine.standin import keystore
from stageproof.errors import UsageError

VARIABLE = "STAGEPROOF_CA_FILE"
_HOST_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")
_DISTRIBUTION = Path("/usr/share/ca-certificates")
_PEM_LINE = 64
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s+(.*?)-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class CompanyCa:
    """A bundle of certificates, and who named it."""

    bundle: Path
    named_by: str


def find(option: str | None = None, environment: Mapping[str, str] = os.environ) -> CompanyCa | None:
    """Find the bundle: the option, else the project's variable, else what the host's TLS variables point at.

    Raises UsageError if the option or the project's variable names no readable bundle; a host variable that does so is
    passed over.
    """
    for named_by, value in (("--ca-file", option), (VARIABLE, environment.get(VARIABLE))):
        if value:
            return CompanyCa(_checked(Path(value), named_by), named_by)
    for variable in _HOST_VARIABLES:
        path = Path(environment.get(variable, ""))
        if path.is_file() and _CERTIFICATE.search(path.read_text(encoding="utf-8", errors="replace")):
            return CompanyCa(path, variable)
    return None


def layer_folder(ca: CompanyCa, cache: Path) -> Path:
    """Write the build context of `bases/company-ca.Dockerfile`: the bundle, and a Java key store of it."""
    pem = ca.bundle.read_text(encoding="utf-8", errors="replace")
    folder = cache / f"ca-{hashlib.sha256(pem.encode()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Callable[[], bytes]] = {"ca-certificates.crt": pem.encode, "cacerts": lambda: keystore.jks(pem)}
    for name, content in made.items():
        if not (folder / name).is_file():
            (folder / name).write_bytes(content())
    return folder


def needles(ca: CompanyCa) -> tuple[bytes, ...]:
    """Give byte strings that only the company's own certificates have: a piece of each as DER, and as a line of PEM.

    A certificate counts as the company's if neither Mozilla's list nor the host's own distribution has it.
    """
    public = set(_bodies(Path(certifi.where()).read_text(encoding="ascii", errors="replace")))
    for path in _DISTRIBUTION.rglob("*.crt"):
        public.update(_bodies(path.read_text(encoding="ascii", errors="replace")))
    own = [body for body in _bodies(ca.bundle.read_text(encoding="utf-8", errors="replace")) if body not in public]
    return tuple(form for body in own for form in _forms(body))


def _forms(body: str) -> tuple[bytes, bytes]:
    """Cut from the middle: a certificate's first bytes are alike in many."""
    der = base64.b64decode(body)
    line = len(body) // _PEM_LINE // 2 * _PEM_LINE
    return der[len(der) // 2 :][:_PEM_LINE], body[line : line + _PEM_LINE].encode()


def _bodies(pem: str) -> list[str]:
    return ["".join(body.split()) for body in _CERTIFICATE.findall(pem)]


def _checked(path: Path, named_by: str) -> Path:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        failed, seen = f"{named_by} names a file that cannot be read: {path}", str(error)
        raise UsageError(failed, seen=seen, do="name the PEM file that holds your company's certificates") from error
    if not _CERTIFICATE.search(text):
        failed = f"{named_by} names a file that holds no certificate: {path}"
        raise UsageError(failed, why="builds behind a TLS proxy would fail", do="name a PEM file")
    return path
