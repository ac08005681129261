"""`shared-paths-writable-by-group`: what must be writable is so for any user of group 0."""

from __future__ import annotations

from collections.abc import Sequence

from stageproof.checks.subject import Subject, evidence_of, failed, not_applicable, passed
from stageproof.image import Entry
from stageproof.model import Evidence, Finding

CLAIM = "lets any user of group 0 write where writing is declared"
BROKEN = "has writable paths that are closed to other users of group 0"
WHY = "OpenShift runs the image as a number of its own choice, with group 0: files of a fixed user are closed to it"
DO = "RUN chgrp -R 0 PATH && chmod -R g=u PATH in the stage that makes it"
STICKY_FOR_ALL = 0o1777


def check(subject: Subject, paths: Sequence[str] = ()) -> Finding:
    """Decide the claim for `paths`, the volumes, and all below them: group 0, and the group may what the user may."""
    image = subject.image
    declared = list(dict.fromkeys([*paths, *image.config.volumes]))
    if not declared:
        return not_applicable("shared-paths-writable-by-group", "declares no writable path")
    seen: list[Evidence] = []
    for path in declared:
        top = image.resolve(path)
        if top is None:
            seen.append(Evidence("declared writable, and not there", path))
            continue
        seen += [evidence_of(subject, entry, how) for entry in image.walk(top.path) if (how := _closed(entry))]
    if seen:
        return failed("shared-paths-writable-by-group", BROKEN, seen, DO)
    return passed("shared-paths-writable-by-group", f"{CLAIM}: {', '.join(declared)}")


def _closed(entry: Entry) -> str:
    if not (entry.is_file or entry.is_folder) or entry.mode & STICKY_FOR_ALL == STICKY_FOR_ALL:
        return ""
    if entry.gid != 0:
        return f"its group is {entry.gid}, not 0"
    if entry.mode >> 3 & 7 != entry.mode >> 6 & 7:
        return f"its group has other rights than its user (mode {entry.mode:04o})"
    return ""
