"""arbitrary-uid: the image serves as a user that it does not know, in the group 0."""

from __future__ import annotations

from stageproof.checks.running import ended, live_of, others_than, restricted
from stageproof.checks.subject import Subject, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options
from stageproof.model import Evidence, Finding

ID = "arbitrary-uid"
CLAIM = "serves as any user in group 0"
BROKEN = "does not serve as any user in group 0"
WHY = "OpenShift starts every image as a user of its own choice; what belongs to one user only cannot be read then."


def check(subject: Subject, path: str = "/") -> Finding:
    """Start it as 1234567:0, wait for an answer, and read whom the kernel takes every process for."""
    live = live_of(subject)
    try:
        with restricted(live, Options(user=live.any_user), path) as (running, _):
            others = others_than(running, live.any_user)
    except ContainerError as error:
        return ended(ID, error, do="let everybody read the app's files, and look up no user's name or home")
    if others:
        return unknown(ID, f"the engine did not start it as {live.any_user}", others)
    return passed(ID, CLAIM, [Evidence(f"every process runs as {live.any_user}")])
