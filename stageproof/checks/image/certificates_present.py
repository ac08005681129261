"""`certificates-present`: the image has the certificates of public authorities, where TLS libraries look for them."""

from __future__ import annotations

from stageproof.checks.subject import Subject, evidence_of, failed, passed, unknown
from stageproof.image import Entry, identity
from stageproof.image.identity import READ
from stageproof.model import Evidence, Finding

CLAIM = "has the certificates of public authorities"
BROKEN = "has no certificates of public authorities that its user can read"
WHY = "without them every TLS connection that the app opens fails, and only in production"
DO = "install ca-certificates, or use a base that has them; a company's own belong into a mount or volume"
PLACES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Debian, Fedora, openSUSE, RHEL, Alpine: the list of Go's crypto/x509, root_linux.go."""
VARIABLE = "SSL_CERT_FILE"
"""What OpenSSL and Go read first."""
_BEGIN = b"-----BEGIN CERTIFICATE-----"


def check(subject: Subject, least: int = 10) -> Finding:
    """Decide the claim: one of the known files holds at least `least` certificates, and the user may read it."""
    image = subject.image
    named = image.config.env.get(VARIABLE, "")
    places = [named] if named else list(PLACES)
    bundles = {place: entry for place in places if (entry := image.resolve(place)) is not None and entry.is_file}
    who = identity.identity(image)
    if not bundles:
        seen = [Evidence(f"not there: {place}" + (f", which {VARIABLE} names" if named else "")) for place in places]
        return failed("certificates-present", BROKEN, seen, DO)
    unread = [entry for entry in bundles.values() if entry.size and entry.facts.content is None]
    if who is None or unread:
        told = [Evidence(f"the image does not know its USER {image.config.user!r}")] if who is None else []
        told += [evidence_of(subject, entry, "its content is not in the index") for entry in unread]
        return unknown("certificates-present", f"could not be shown that it {CLAIM}", told)
    seen = [evidence_of(subject, entry, _told(entry, who)) for entry in bundles.values()]
    if any(_count(entry) >= least and not _closed(subject, place, who) for place, entry in bundles.items()):
        return passed("certificates-present", CLAIM, seen)
    return failed("certificates-present", f"{BROKEN}, or fewer than {least}", seen, DO)


def _count(entry: Entry) -> int:
    return (entry.facts.content or b"").count(_BEGIN)


def _closed(subject: Subject, place: str, who: identity.Identity) -> bool:
    trail = subject.image.trail(place)
    way = all(who.may(folder, identity.EXECUTE) for folder in trail.folders)
    return not (way and trail.entry is not None and who.may(trail.entry, READ))


def _told(entry: Entry, who: identity.Identity) -> str:
    may = "" if who.may(entry, READ) else f", not readable for uid {who.uid} (mode {entry.mode:04o})"
    return f"{_count(entry)} certificates{may}"
