"""The Java key store holds every certificate of a bundle, in the same bytes each time."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from stageproof.engine.standin.keystore import jks
from stageproof.errors import BaseError

START = datetime(2021, 5, 4, 3, 2, 1, tzinfo=UTC)
SALT = b"Mighty Aphrodite"


def _certificate(*names: tuple[x509.ObjectIdentifier, str], start: datetime = START) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start)
    return builder.not_valid_after(datetime(2060, 1, 1, tzinfo=UTC)).sign(key, hashes.SHA256())


def _pem(*certificates: x509.Certificate) -> str:
    return "".join(f"# a comment\n{each.public_bytes(Encoding.PEM).decode()}" for each in certificates)


def _read(store: bytes) -> list[tuple[str, int, bytes]]:
    """Read the format as its description has it, not as the writer does."""
    magic, version, count = struct.unpack_from(">III", store)
    assert (magic, version) == (0xFEEDFEED, 2)
    at, entries = 12, []
    for _ in range(count):
        tag, size = struct.unpack_from(">IH", store, at)
        assert tag == 2, "a trusted certificate"
        alias = store[at + 6 : at + 6 + size].decode()
        at += 6 + size
        date, kind_size = struct.unpack_from(">qH", store, at)
        assert store[at + 10 : at + 10 + kind_size] == b"X.509"
        at += 10 + kind_size
        (length,) = struct.unpack_from(">I", store, at)
        entries.append((alias, date, store[at + 4 : at + 4 + length]))
        at += 4 + length
    assert store[at:] == hashlib.sha1("changeit".encode("utf-16-be") + SALT + store[:at]).digest()  # noqa: S324 -- the format
    return entries


def test_a_certificate_is_an_entry_with_its_subject_its_start_and_its_bytes() -> None:
    certificate = _certificate(
        (NameOID.COUNTRY_NAME, "DE"),
        (NameOID.ORGANIZATION_NAME, "Beispiel  AG, Köln"),
        (NameOID.COMMON_NAME, "Root CA 1"),
    )

    ((alias, date, content),) = _read(jks(_pem(certificate)))

    assert alias == "cn=root ca 1,o=beispiel ag\\, köln,c=de"
    assert date == int(START.timestamp() * 1000)
    assert content == certificate.public_bytes(Encoding.DER)


def test_a_start_after_2049_is_read_too() -> None:
    later = datetime(2050, 6, 1, tzinfo=UTC)

    ((_, date, _),) = _read(jks(_pem(_certificate((NameOID.COMMON_NAME, "x"), start=later))))

    assert date == int(later.timestamp() * 1000)


def test_a_name_without_a_known_short_form_is_given_by_its_number() -> None:
    ((alias, _, _),) = _read(jks(_pem(_certificate((NameOID.ORGANIZATION_IDENTIFIER, "VATDE-1")))))

    assert alias == "2.5.4.97=vatde-1"


def test_two_certificates_of_one_subject_are_both_kept() -> None:
    old, new = (_certificate((NameOID.COMMON_NAME, "Company Root")) for _ in range(2))

    assert [alias for alias, _, _ in _read(jks(_pem(old, new)))] == ["cn=company root", "cn=company root (2)"]


def test_a_certificate_that_is_there_twice_is_kept_once() -> None:
    certificate = _certificate((NameOID.COMMON_NAME, "Company Root"))

    assert len(_read(jks(_pem(certificate, certificate)))) == 1


def test_the_same_bundle_gives_the_same_bytes() -> None:
    bundle = _pem(_certificate((NameOID.COMMON_NAME, "a")), _certificate((NameOID.COMMON_NAME, "b")))

    assert jks(bundle) == jks(bundle)


@pytest.mark.parametrize("body", ["AAAA", "MIIB", "no base64!", ""])
def test_a_broken_certificate_is_an_error_that_says_what_to_give(body: str) -> None:
    bundle = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"

    with pytest.raises(BaseError) as caught:
        jks(bundle)

    assert caught.value.do == "give a file of PEM certificates"
