"""`writable-paths`: the user of the image can write only where it is declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stageproof.checks.subject import Says, Subject, absent, evidence_of, failed, unknown
from stageproof.image import Entry, Kind, identity
from stageproof.model import Evidence, Finding

CLAIM = "lets its user write only where that is declared"
BROKEN = "lets its user change files that are not declared writable"
WHY = "an intruder who can change the app's files stays after the next request"
DO = "COPY without --chown (root owns the files), and name what must be writable in the contract"
STICKY = 0o1000


def check(subject: Subject, allowed: Sequence[str] = (), app: str = "/app") -> Finding:
    """Decide the claim from owners and modes.

    Allowed are the paths named, sticky folders that anybody may write (/tmp), and the user's home without the app.
    """
    image = subject.image
    who = identity.identity(image)
    if who is None:
        told = Evidence(f"the image does not know its USER {image.config.user!r}")
        return unknown("writable-paths", f"could not be shown that it {CLAIM}", [told])
    if who.uid == 0:
        return failed(
            "writable-paths", "lets its user change every file: it is root", do="USER 65532:65532 in the final stage"
        )
    free = [*allowed, *([who.home] if who.home not in {"", "/"} and not _is_below(app, who.home) else [])]
    return absent("writable-paths", Says(CLAIM, BROKEN, DO), subject, _writable(subject, who, free, app))


def _writable(subject: Subject, who: identity.Identity, free: Sequence[str], app: str) -> Iterator[Evidence]:
    for entry in subject.entries:
        # Links have no mode of their own, and the engine lays a /dev of its own over the image's.
        if entry.kind is Kind.LINK or _is_below(entry.path, "/dev"):
            continue
        how = _how(entry, who)
        sticky = (
            entry.is_folder and entry.mode & STICKY and entry.mode & identity.WRITE and not _is_below(entry.path, app)
        )
        if how and not sticky and not any(_is_below(entry.path, path) for path in free):
            yield evidence_of(subject, entry, f"{how} (mode {entry.mode:04o}, owner {entry.uid}:{entry.gid})")


def _how(entry: Entry, who: identity.Identity) -> str:
    if entry.uid == who.uid:
        return f"{entry.kind} owned by the user {who.uid}"
    return f"{entry.kind} that the user {who.uid} may write" if who.may(entry, identity.WRITE) else ""


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
