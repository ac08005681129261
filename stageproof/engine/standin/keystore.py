"""A Java trust store of type JKS, written without a JVM.

Java opens its default trust store without a password: a PKCS12 file then shows no entry ("the trustAnchors parameter
must be non-empty"), a JKS file shows them all. Only two fields of a certificate are read, so that one which a strict
library refuses (a serial number of 0, in Mozilla's own list) does not spoil the whole bundle.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from stageproof.errors import BaseError

_MAGIC = 0xFEEDFEED
_VERSION = 2
_TRUSTED = 2
_SALT = b"Mighty Aphrodite"
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)

_EXPLICIT_VERSION, _UTC_TIME, _UTF16_TEXT = 0xA0, 0x17, 0x1E
_LONG_FORM = 0x80
_NAMES = {
    "2.5.4.3": "cn",
    "2.5.4.6": "c",
    "2.5.4.7": "l",
    "2.5.4.8": "st",
    "2.5.4.9": "street",
    "2.5.4.10": "o",
    "2.5.4.11": "ou",
    "0.9.2342.19200300.100.1.1": "uid",
    "0.9.2342.19200300.100.1.25": "dc",
}


def jks(bundle: str, password: str = "changeit") -> bytes:  # noqa: S107 -- the well-known one, no secret
    """Turn a PEM bundle into a JKS file that trusts each of its certificates; the same bundle gives the same bytes.

    Raises BaseError if a certificate cannot be read.
    """
    seen: Counter[str] = Counter()
    entries = []
    for certificate in dict.fromkeys(_certificates(bundle)):
        alias, since = _subject_and_start(certificate)
        seen[alias] += 1
        entries.append(_entry(certificate, alias if seen[alias] == 1 else f"{alias} ({seen[alias]})", since))
    body = struct.pack(">III", _MAGIC, _VERSION, len(entries)) + b"".join(entries)
    return body + hashlib.sha1(password.encode("utf-16-be") + _SALT + body).digest()  # noqa: S324 -- the format's sum


def _certificates(bundle: str) -> Iterator[bytes]:
    for body in _PEM.findall(bundle):
        try:
            yield base64.b64decode("".join(body.split()), validate=True)
        except binascii.Error as error:
            raise _unreadable(str(error)) from error


def _entry(certificate: bytes, alias: str, since: datetime) -> bytes:
    head = struct.pack(">I", _TRUSTED) + _text(alias) + struct.pack(">q", int(since.timestamp() * 1000))
    return head + _text("X.509") + struct.pack(">I", len(certificate)) + certificate


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack(">H", len(encoded)) + encoded


def _subject_and_start(certificate: bytes) -> tuple[str, datetime]:
    """Read the subject as Java's canonical form has it, and since when the certificate is valid."""
    try:
        ((_, outer),) = _values(certificate)
        fields = [value for tag, value in _values(next(_values(outer))[1]) if tag != _EXPLICIT_VERSION]
        _serial, _algorithm, _issuer, validity, subject = fields[:5]
        tag, start = next(_values(validity))
        form = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
        since = datetime.strptime(start.decode("ascii"), form).replace(tzinfo=UTC)
        parts = ["+".join(sorted(_names(value))) for _, value in _values(subject)]
    except (ValueError, IndexError, StopIteration) as error:
        raise _unreadable(repr(error)) from error
    return ",".join(reversed(parts)), since


def _names(rdn: bytes) -> Iterator[str]:
    for _, pair in _values(rdn):
        (_, identifier), (tag, value) = _values(pair)
        name = _dotted(identifier)
        text = value.decode("utf-16-be" if tag == _UTF16_TEXT else "utf-8", errors="replace")
        escaped = re.sub(r'([,+"\\<>;=])', r"\\\1", " ".join(text.lower().split()))
        yield f"{_NAMES.get(name, name)}={escaped}"


def _values(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Read DER values one after the other: their tags and contents."""
    at = 0
    while at < len(der):
        tag, size, at = der[at], der[at + 1], at + 2
        if size >= _LONG_FORM:
            digits = size - _LONG_FORM
            size, at = int.from_bytes(der[at : at + digits]), at + digits
        if at + size > len(der):
            message = "a value is longer than what holds it"
            raise ValueError(message)
        yield tag, der[at : at + size]
        at += size


def _dotted(identifier: bytes) -> str:
    numbers, current = [], 0
    for byte in identifier:
        current = current << 7 | byte & 0x7F
        if byte < _LONG_FORM:
            numbers.append(current)
            current = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(number) for number in (first, numbers[0] - 40 * first, *numbers[1:]))


def _unreadable(seen: str) -> BaseError:
    failed = "a certificate of the CA bundle cannot be read"
    why = "Java gets its trust store from this bundle"
    return BaseError(failed, seen=seen, why=why, do="give a file of PEM certificates")
