"""What looks like a secret: private keys with their key, well-known tokens, names of credential files.

Forms of the tokens are the issuers' own, as GitHub's secret scanning documents them. Only the kind is kept, no value.
"""

from __future__ import annotations

import re

LARGEST = 1 << 20
"""Larger files are not searched: tokens stand in small files, and large data repeats any pattern by chance."""

PRIVATE_KEY = "private key"
# The header alone stands in every TLS library; with a line of key after it, it is a key.
_KEY = re.compile(rb"-----BEGIN ((?:[A-Z]+ )?PRIVATE KEY)-----(?:\\n|\s)+(?:[A-Za-z-]+: [^\n]*\s+)*[A-Za-z0-9+/]{40}")

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

_NAMES = re.compile(
    r"/(id_(rsa|dsa|ecdsa|ed25519)|\.netrc|\.pypirc|\.git-credentials|\.aws/credentials|\.kube/config|\.docker/config\.json|\.dockercfg)$"
)

_NAMED = re.compile(
    r"(?i)\b(\w*(?:passwd|password|secret|token|api_?key|private_?key|credential)\w*)=(?!\s|$|\"\"|'')\S+"
)
_HARMLESS = re.compile(r"(?i)(_file|_path|_dir|_url|_id|_name|_env|expiry|_seconds)$")


def in_file(path: str, data: bytes) -> tuple[str, ...]:
    """Name the kinds of secret that a file looks like; empty: none."""
    found: list[str] = []
    if data and len(data) <= LARGEST:
        if _NAMES.search(path):
            found.append("credentials, by the file's name")
        if b"PRIVATE KEY-----" in data and _KEY.search(data):
            found.append(PRIVATE_KEY)
        found += [kind for kind, start, form in _TOKENS if start in data and _is_real(form, data)]
    return tuple(dict.fromkeys(found))


def in_text(text: str) -> tuple[str, ...]:
    """Name the secrets of one line of history, environment or labels: variables by name, tokens by form."""
    names = [match.group(1) for match in _NAMED.finditer(text) if not _HARMLESS.search(match.group(1))]
    return (*dict.fromkeys(names), *in_file("", text.encode("utf-8", "surrogateescape")))


def _is_real(form: re.Pattern[bytes], data: bytes) -> bool:
    return any(not any(word in match.group() for word in _EXAMPLES) for match in form.finditer(data))
