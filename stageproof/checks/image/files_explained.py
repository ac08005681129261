"""`files-explained`: every file belongs to a package, to the base, or to the app."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from stageproof.checks.subject import Says, Subject, absent, evidence_of, is_of_base
from stageproof.image import packages
from stageproof.model import Evidence, Finding

CLAIM = "holds no file that belongs neither to a package, nor to the base, nor to the app"
BROKEN = "holds files that belong neither to a package, nor to the base, nor to the app"
WHY = "a file that nobody can explain is left over from a build, or was put there by somebody else"
DO = "copy it below /app, install it as a package, or do not copy it"

# What dpkg, apt, debconf and ldconfig write while they install, and list nowhere.
_RECORDS = re.compile(
    r"/etc/ld\.so\.cache|/etc/alternatives/.+|/var/cache/(ldconfig|debconf|apt)/.+|/var/lib/apt/.+"
    r"|/var/log/(apt/.+|dpkg\.log|alternatives\.log)"
)


def check(subject: Subject, app: str = "/app", explained: Sequence[str] = ()) -> Finding:
    """Decide the claim for each file and link: below `app` or `explained`, listed by dpkg, or of the base."""
    homes = ("/dev", app, *explained)  # the engine lays a /dev of its own over the image's
    return absent("files-explained", Says(CLAIM, BROKEN, DO), subject, _unexplained(subject, homes))


def _unexplained(subject: Subject, homes: Sequence[str]) -> Iterator[Evidence]:
    image = subject.image
    owned = packages.debian_files(image)
    bases = {layer.diff_id for base in subject.bases.values() for layer in base.layers}
    for entry in subject.entries:
        at_home = any(entry.path == home or entry.path.startswith(home.rstrip("/") + "/") for home in homes)
        known = entry.path in owned or _RECORDS.fullmatch(entry.path) or image.layer_of(entry).diff_id in bases
        known = known or is_of_base(subject, entry)
        if entry.is_folder or at_home or known:
            continue
        yield evidence_of(subject, entry, f"{entry.kind} that nothing explains")
