"""What looks like a secret: private keys with their key, well-known tokens, names of credential files.

Forms of the tokens are the issuers' own, as GitHub's secret scanning documents them. Only the kind is kept, no value.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

LARGEST = 1 << 20
"""Larger files are not searched: tokens stand in small files, and large data repeats any pattern by chance."""

PRIVATE_KEY = "private key"
_PEM = b"PRIVATE KEY-----"
# The header alone stands in every TLS library; with a line of key after it, it is a key.
# Each header ends with its line: a looser form would try every way to cut a line of colons into headers.
_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z]{1,20} )?PRIVATE KEY-----(?:\\n|\s){1,9}"
    rb"(?:[A-Za-z-]{1,40}: [^\n]{0,200}\n\s{0,3}){0,9}[A-Za-z0-9+/]{40}"
)

_TOKENS: tuple[tuple[str, bytes, re.Pattern[bytes]], ...] = (
    ("AWS access key", b"AKIA", re.compile(rb"\bAKIA[0-9A-Z]{16}\b")),
    ("GitHub token", b"ghp_", re.compile(rb"\bghp_[A-Za-z0-9]{36}\b")),
    ("GitHub token", b"gho_", re.compile(rb"\bgho_[A-Za-z0-9]{36}\b")),
    ("GitHub token", b"ghs_", re.compile(rb"\bghs_[A-Za-z0-9]{36}\b")),
    ("GitHub token", b"github_pat_", re.compile(rb"\bgithub_pat_[A-Za-z0-9_]{82}\b")),
    ("GitLab token", b"glpat-", re.compile(rb"\bglpat-[A-Za-z0-9_-]{20}")),
    ("npm token", b"npm_", re.compile(rb"\bnpm_[A-Za-z0-9]{36}\b")),
    ("npm token", b":_authToken=", re.compile(rb":_authToken=[A-Za-z0-9_-]{20}")),
    ("PyPI token", b"pypi-AgEIcHlwaS5vcmc", re.compile(rb"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50}")),
    ("Slack token", b"xox", re.compile(rb"\bxox[abprs]-[0-9A-Za-z]{8,}-[0-9A-Za-z-]{8,}")),
    ("Google API key", b"AIza", re.compile(rb"\bAIza[0-9A-Za-z_-]{35}\b")),
    ("Stripe key", b"sk_live_", re.compile(rb"\bsk_live_[0-9A-Za-z]{24}")),
)

_EXAMPLES = (b"EXAMPLE", b"example", b"xxxx", b"XXXX", b"0123456789", b"1234567890")

NAMES = (
    *("/id_rsa", "/id_dsa", "/id_ecdsa", "/id_ed25519", "/.netrc", "/.pypirc", "/.git-credentials", "/.dockercfg"),
    *("/.aws/credentials", "/.kube/config", "/.docker/config.json"),
)

_ASSIGNED = re.compile(r"\b(\w+)=(?!\s|$|\"\"|'')\S")
_VALUE = re.compile(r"\b(\w+)=(\"[^\"]+\"|'[^']+'|(?!\"\"|'')\S+)")
NOT_SHOWN = "***"
"""What stands where a value was; nothing that `in_text` finds in it changes when it is hidden again."""
_SECRET_NAME = re.compile(r"(?i)passwd|password|secret|token|api_?key|private_?key|credential")
_LONGEST_NAME = 200
_HARMLESS = re.compile(r"(?i)(_file|_path|_dir|_url|_id|_name|_env|expiry|_seconds)$")


STARTS = (_PEM, *dict.fromkeys(start for _, start, _ in _TOKENS))


def in_file(path: str, data: bytes, present: AbstractSet[bytes] | None = None) -> tuple[str, ...]:
    """Name the kinds of secret that a file looks like; empty: none. `present` are those of STARTS that stand in it."""
    if present is not None and not present and not path.endswith(NAMES):
        return ()  # as nearly always
    found: list[str] = []
    if data and len(data) <= LARGEST:
        seen = data if present is None else present
        if path.endswith(NAMES):
            found.append("credentials, by the file's name")
        if seen:
            if _PEM in seen and _KEY.search(data):
                found.append(PRIVATE_KEY)
            found += [kind for kind, start, form in _TOKENS if start in seen and _is_real(form, data)]
    return tuple(dict.fromkeys(found))


_HINT = re.compile("=|" + "|".join(re.escape(start.decode()) for start in STARTS))
"""What stands in every text that holds a secret of either sort, and in few others."""


def in_text(text: str) -> tuple[str, ...]:
    """Name the secrets of one line of history, environment or labels: variables by name, tokens by form."""
    if not _HINT.search(text):
        return ()
    names = [match.group(1) for match in _ASSIGNED.finditer(text) if _is_secret_name(match.group(1))]
    return (*dict.fromkeys(names), *in_file("", _bytes(text)))


def hidden(text: str) -> str:
    """Write a text without the values that `in_text` finds in it."""
    written = _VALUE.sub(lambda match: f"{match[1]}={NOT_SHOWN}" if _is_secret_name(match[1]) else match[0], text)
    for _, _, form in _TOKENS:
        written = re.sub(form.pattern.decode(), NOT_SHOWN, written)
    return NOT_SHOWN if PRIVATE_KEY in in_file("", _bytes(written)) else written


def _bytes(text: str) -> bytes:
    # Texts of a configuration may hold any surrogate: JSON can write each of them.
    return text.encode("utf-8", "surrogatepass")


def _is_secret_name(name: str) -> bool:
    if len(name) > _LONGEST_NAME:
        return False
    return _SECRET_NAME.search(name) is not None and _HARMLESS.search(name) is None


def _is_real(form: re.Pattern[bytes], data: bytes) -> bool:
    return any(not any(word in match.group() for word in _EXAMPLES) for match in form.finditer(data))
