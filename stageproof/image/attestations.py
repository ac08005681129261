"""What stands beside an image: in-toto statements about it, and signatures that are still to be verified.

Forms: in-toto's "Statement" and DSSE's envelope, alone or in a sigstore bundle; simple signing, as cosign's "Signature
specification" has it. A signature counts only for the digests that the signed bytes themselves name.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

STATEMENT = "application/vnd.in-toto+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle"
"""How the types of sigstore's bundles begin; their version follows."""
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNS = "https://sigstore.dev/cosign/sign/v1"
"""The predicate type by which cosign, from its version 3 on, signs an image."""
_SIMPLE = "cosign container image signature"
_IN_TOTO = "https://in-toto.io/Statement/"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True)
class Attachment:
    """One blob that somebody attached to an image."""

    digest: str
    media_type: str = ""
    data: bytes = b""
    signature: str = ""
    """In base64, where it stands beside the blob and not inside."""
    problem: str = ""
    """Why it could not be read; there is no data then."""
    too_large: bool = False
    """Whether that is only because more is not read: nothing need be wrong with it."""


@dataclass(frozen=True)
class Attached:
    """What was found beside an image."""

    manifest: str
    """The digest of the image's manifest."""
    indexes: tuple[str, ...]
    """The digests of the indexes that lead to it: who signs one of them signs the image."""
    attachments: tuple[Attachment, ...]
    whole: bool
    """Whether the source keeps all that is attached: `docker save` drops most of it."""

    @property
    def unread(self) -> tuple[Attachment, ...]:
        """What was too large to be read."""
        return tuple(each for each in self.attachments if each.too_large)

    @property
    def read(self) -> tuple[Attachment, ...]:
        """What was read, or cannot be."""
        return tuple(each for each in self.attachments if not each.too_large)


@dataclass(frozen=True)
class Statement:
    """One in-toto statement; what is wrong with its form, and nothing else then, if it is none."""

    digest: str
    """Of the blob that holds it."""
    predicate_type: str = ""
    subjects: tuple[str, ...] = ()
    """What it is about: "sha256:...", of each subject that has such a digest."""
    predicate: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Signature:
    """One signature, not verified yet; what is wrong with its form, and nothing else then, if it is none."""

    digest: str
    """Of the blob that holds it."""
    message: bytes = b""
    """The bytes that were signed."""
    signature: bytes = b""
    subjects: tuple[str, ...] = ()
    """What the signed bytes say that they are about."""
    problem: str = ""


def statements(attached: Attached) -> list[Statement]:
    """Give the statements; of an envelope the one inside, whoever signed it."""
    found = []
    for each in attached.read:
        if each.media_type == SIMPLE_SIGNING:
            continue
        try:
            payload = _payload(each)
            if payload is not None:
                found.append(_statement(each.digest, payload))
        except ValueError as error:
            found.append(Statement(each.digest, problem=str(error)))
    return found


def signatures(attached: Attached) -> list[Signature]:
    """Give the signatures of images, those of attestations not among them."""
    found: list[Signature] = []
    for each in attached.read:
        try:
            found += _simple(each) if each.media_type == SIMPLE_SIGNING else _enveloped(each)
        except ValueError as error:
            found.append(Signature(each.digest, problem=str(error)))
    return found


def _simple(each: Attachment) -> Iterator[Signature]:
    critical = _table(_object(_data(each)).get("critical"), "critical")
    if critical.get("type") != _SIMPLE:
        message = f"is no signature of cosign's: its type is {str(critical.get('type'))[:100]!r}"
        raise ValueError(message)
    image = _table(critical.get("image"), "critical.image")
    subject = str(image.get("docker-manifest-digest"))
    yield Signature(each.digest, each.data, _decoded(each.signature), (subject,))


def _enveloped(each: Attachment) -> Iterator[Signature]:
    envelope = _envelope(each) if each.media_type != STATEMENT else None
    if envelope is None:
        return
    payload = _decoded(envelope.get("payload"))
    statement = _statement(each.digest, payload)
    if statement.predicate_type != SIGNS:
        return
    # DSSE, "Signature Definition": the pre-authentication encoding.
    message = b"DSSEv1 %d %s %d %s" % (len(STATEMENT), STATEMENT.encode(), len(payload), payload)
    signed = envelope.get("signatures")
    for one in signed if isinstance(signed, list) else ():
        yield Signature(each.digest, message, _decoded(_table(one, "signatures").get("sig")), statement.subjects)


def _payload(each: Attachment) -> bytes | None:
    if each.media_type == STATEMENT:
        return _data(each)
    envelope = _envelope(each)
    return None if envelope is None else _decoded(envelope.get("payload"))


def _envelope(each: Attachment) -> Mapping[str, Any] | None:
    """Give the envelope of a statement; None where it holds something else, such as a signature of plain bytes."""
    envelope = _object(_data(each))
    if each.media_type.startswith(BUNDLE):
        if "messageSignature" in envelope:
            return None
        envelope = _table(envelope.get("dsseEnvelope"), "dsseEnvelope")
    return envelope if envelope.get("payloadType") == STATEMENT else None


def _statement(digest: str, data: bytes) -> Statement:
    top = _object(data)
    if not str(top.get("_type")).startswith(_IN_TOTO):
        message = f"is no in-toto statement: its _type is {str(top.get('_type'))[:100]!r}"
        raise ValueError(message)
    subjects = top.get("subject")
    if not isinstance(subjects, list) or not isinstance(top.get("predicateType"), str):
        message = "has no list of subjects, or no predicateType"
        raise ValueError(message)  # noqa: TRY004 -- about data, and told as such
    hashes = [_table(_table(one, "subject").get("digest"), "subject.digest").get("sha256") for one in subjects]
    # cosign's own statements have no predicate, or an empty one (its issue 4634).
    predicate = _table(top.get("predicate") or {}, "predicate")
    about = tuple(f"sha256:{each}" for each in hashes if isinstance(each, str))
    return Statement(digest, top["predicateType"], about, predicate)


def _data(each: Attachment) -> bytes:
    if each.problem:
        raise ValueError(each.problem)
    return each.data


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        message = f"is no JSON: {error}"
        raise ValueError(message) from error
    return _table(value, "all of it")


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        message = f"has no object where one has to be: {where}"
        raise ValueError(message)  # noqa: TRY004 -- about data, and told as such
    return value


def _decoded(text: object) -> bytes:
    """Read base64, in either of its two alphabets (DSSE, "Protocol")."""
    try:
        return base64.b64decode(str(text or "").encode("ascii").translate(_URL_SAFE), validate=True)
    except ValueError as error:
        message = f"has base64 that is none: {error}"
        raise ValueError(message) from error
