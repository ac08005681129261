"""`no-caches`: no layer ships what only the next build could use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stageproof.checks.subject import Says, Subject, absent, evidence_in
from stageproof.model import Evidence, Finding

CLAIM = "contains no package cache"
BROKEN = "contains a package cache"
WHY = "it is dead weight: nothing in the container will ever use it"
DO = "RUN --mount=type=cache for the manager's cache; removing it in a later layer does not help"

# Folders of caches, as each manager documents them. `__pycache__` is none: Python would write it again at each start.
_CACHE = re.compile(
    r"(?P<root>/var/lib/apt/lists|/var/cache/(apt|apk|yum|dnf|zypp)|/etc/apk/cache"
    r"|.*/\.cache/(pip|uv|yarn|go-build|pypoetry|pnpm|node-gyp|deno|composer|node/corepack)|.*/\.npm/_(cacache|npx|logs)|.*/\.node-gyp"
    r"|.*/\.m2/(repository|wrapper)|.*/\.gradle/(caches|wrapper|daemon)|.*/pkg/mod/(cache|.+@v[^/]*)|.*/\.cargo/registry|.*/\.bundle/cache"
    r"|.*/\.yarn/(cache|berry/cache)|.*/(\.pnpm-store|node-compile-cache)|/tmp/(npm|pip|v8-compile|yarn)-[^/]*)/(?P<file>.+)"
)
# The signed release files are no package lists: `apt-get dist-clean` leaves them, so that an older release is noticed.
_NO_CACHE = re.compile(r"(partial/?|lock|auxfiles/?|[^/]*_(InRelease|Release|Release\.gpg))")


def check(subject: Subject) -> Finding:
    """Decide the claim for every layer: what a later layer deletes is still sent and stored."""
    return absent("no-caches", Says(CLAIM, BROKEN, DO), subject, _caches(subject))


def _caches(subject: Subject) -> Iterator[Evidence]:
    image = subject.image
    for layer in image.layers:
        roots: dict[str, list[int]] = {}
        for path, entry in layer.entries.items():
            match = _CACHE.fullmatch(path) if entry.size else None
            if match and not _NO_CACHE.fullmatch(match["file"]):
                roots.setdefault(match["root"], []).append(entry.size)
        for root, sizes in sorted(roots.items()):
            gone = (
                ""
                if any(path.startswith(root + "/") for path in image.tree)
                else "; deleted later, and still in the image"
            )
            yield evidence_in(subject, layer, f"{len(sizes)} files{gone}", root, sum(sizes))
