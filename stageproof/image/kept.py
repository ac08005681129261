"""Which small data files the index remembers whole, or in part, because a reader needs them."""

from __future__ import annotations

import json
import re

LARGEST = 16 << 20

_WHOLE = re.compile(
    r"/etc/(passwd|group|shadow|os-release|ld\.so\.conf|ld\.so\.conf\.d/[^/]+\.conf|ld-musl-[^/]+\.path)"
    r"|/usr/lib/os-release"
    r"|/var/lib/dpkg/(status|status\.d/[^/]+|info/[^/]+\.(list|md5sums)|diversions)"
    r"|/(usr/)?lib/apk/db/installed"
    r"|/.+\.dist-info/RECORD"
    r"|/etc/ssl/(cert\.pem|ca-bundle\.pem|certs/ca-certificates\.crt)|/etc/pki/.+\.(pem|crt)"
)
# Where distributions put their packages' files; /usr/local and /opt are the administrator's (FHS 3.0).
PACKAGED = ("/usr/", "/lib", "/bin/", "/sbin/", "/etc/", "/boot/")
_METADATA = re.compile(r"\.(dist-info/METADATA|egg-info(/PKG-INFO)?)$")
# How the paths begin or end that `keep` looks at: nearly all files are told apart by that, ten times as fast.
BEGINNINGS = ("/etc/", "/usr/lib/os-release", "/var/lib/dpkg/", "/lib/apk/", "/usr/lib/apk/")
ENDINGS = ("/package.json", "/release", "METADATA", ".dist-info/RECORD", ".egg-info", "PKG-INFO")


def keep(path: str, data: bytes) -> bytes | None:
    """Give what of a file is worth keeping; None: nothing."""
    may_be = path.startswith(BEGINNINGS) or path.endswith(ENDINGS)
    if not may_be or len(data) > LARGEST:
        return None
    if _WHOLE.fullmatch(path):
        return data
    name = path[path.rfind("/") :]
    if name == "/package.json":
        return _package_json(data)
    if name == "/release" and b"MODULES=" in data and len(data) < (1 << 16):
        return data
    if _METADATA.search(path):
        return re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
    return None


def is_packaged(path: str) -> bool:
    """Whether a distribution's package may have put a file there: its MD5 and its SHA-1 are worth having."""
    return path.startswith(PACKAGED) and not path.startswith("/usr/local/")


def _package_json(data: bytes) -> bytes | None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("name"), str):
        return None
    short = {"name": document["name"], "version": str(document.get("version", "")), "bin": "bin" in document}
    return json.dumps(short).encode()


_TELLING = re.compile(
    r"\.(java|kt|kts|scala|groovy|clj|go|rs|c|cc|cpp|cs|ts)$|^BOOT-INF/lib/[^/]+\.jar$|^pip/_internal/cli/main\.py$"
)


def is_telling(member: str) -> bool:
    """Whether a check asks about a zip's member of that name: source of a compiled language, a library, pip itself."""
    return bool(_TELLING.search(member)) and not member.endswith(".d.ts")
