"""`signature-valid`: a signature of the image stands beside it, and the key that the contract names made it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stageproof.checks import attached, stated
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.image import attestations
from stageproof.image.attestations import Signature
from stageproof.model import Evidence, Finding

ID = attached.SIGNED
CLAIM = "has a signature that its key verifies"
BROKEN = "has no signature that its key verifies"
WHY = "a name in a registry can be moved to any image; a signature cannot"
DO = "cosign sign --key cosign.key NAME@DIGEST, then cosign save --dir FOLDER NAME@DIGEST, and verify that folder"
_LARGEST_KEY = 1 << 16


def check(subject: Subject, key: str = "") -> Finding:
    """Decide the claim: the PEM file `key` holds a public key of ECDSA on P-256, or of Ed25519."""
    if not key:
        seen = [Evidence("the contract names no key")]
        return unknown(ID, f"could not be shown that it {CLAIM}", seen, f'{ID} = {{ key = "cosign.pub" }}')
    if not isinstance(key, str):
        raise stated.refused(ID, f"key is no text: {key!r}")
    verifies = _verifier(key)
    beside = subject.image.attached
    signatures = attestations.signatures(beside) if beside else []
    if beside is None or not (signatures or beside.whole):
        return attached.not_kept(ID, CLAIM, DO)
    seen = []
    for one in signatures:
        if one.problem:
            problem = one.problem
        elif not attached.is_about(one, beside):
            problem = f"is of {', '.join(one.subjects[:3])[:300] or 'nothing'}, and the image is {beside.manifest}"
        elif not verifies(one):
            problem = f"is not of the key {key}, or what it signs was altered"
        else:
            return passed(ID, f"{CLAIM}: {key}")
        seen.append(Evidence(f"{one.digest} {problem}"))
    if beside.unread:
        return attached.not_read(ID, CLAIM, beside)
    return failed(ID, BROKEN, seen or [Evidence("none is attached")], DO)


def _verifier(key: str) -> Callable[[Signature], bool]:
    """Read a public key. Raises CatalogError if the file holds none of a kind that is known."""
    # Slow to import, and most contracts ask for no signature.
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        with Path(key).open("rb") as file:
            public = load_pem_public_key(file.read(_LARGEST_KEY))
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise stated.refused(ID, f"{key} holds no public key in PEM: {str(error)[:200]}") from error

    def verify(one: Signature) -> None:
        if isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(one.signature, one.message)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(one.signature, one.message, ec.ECDSA(SHA256()))

    def verifies(one: Signature) -> bool:
        try:
            verify(one)
        except InvalidSignature:
            return False
        return True

    is_p256 = isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1)
    if not is_p256 and not isinstance(public, ed25519.Ed25519PublicKey):
        raise stated.refused(ID, f"{key} is a key of another kind than ECDSA on P-256 and Ed25519")
    return verifies
