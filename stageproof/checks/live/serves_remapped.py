"""serves-remapped: under an engine that maps users the image serves, and its root is nobody outside."""

from __future__ import annotations

from stageproof.checks.running import abroad, ended, lines, live_of
from stageproof.checks.subject import Subject, failed, not_applicable, passed, unknown
from stageproof.errors import ContainerError, EngineError
from stageproof.live import Options
from stageproof.live.mapped import ROOT, mapping, outside
from stageproof.model import Evidence, Finding

ID = "serves-remapped"
CLAIM = "serves where root is an ordinary user outside"
BROKEN = "does not serve where root is an ordinary user outside"
WHY = "Where users are mapped, root in a container is nobody outside; what needs a user that is not mapped fails there."
UNMAPPED = "unmapped "
"""So runc refuses a user or a group: "cannot setuid to unmapped uid 100000 in user namespace"."""
DO = "name users below 65536, own no file by a higher one, and need no device and no privileged mount"


def check(subject: Subject, path: str = "/") -> Finding:
    """Where the engine maps users, start it as it is, wait for an answer, and read who its root is outside."""
    live = live_of(subject)
    kind = mapping(live.client)
    if not kind:
        return not_applicable(ID, "the engine maps no users: it has neither userns-remap nor rootless")
    try:
        with abroad(live, Options(), path) as (running, _):
            uid_map = running.helper.read("/proc/1/uid_map") or ""
    except ContainerError as error:
        return ended(ID, error, DO)
    except EngineError as error:
        if UNMAPPED not in error.seen:
            raise
        return failed(ID, "is started as a user that is not mapped", lines(error.seen), DO)
    root = outside(uid_map)
    seen = [Evidence(f"the engine says {kind}"), Evidence(f"uid_map of its first process: {' '.join(uid_map.split())}")]
    if root is None or root == ROOT:
        return unknown(ID, "the engine says that it maps users, and the kernel maps root to nobody else", seen)
    return passed(ID, CLAIM, [*seen, Evidence(f"root is user {root} outside, and GET {path} is answered")])
