"""arbitrary-uid: the image serves as a user that it does not know, in the group 0."""

from __future__ import annotations

from stageproof.checks.running import ended, live_of, restricted
from stageproof.checks.subject import Subject, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options
from stageproof.live.restrictions import ANY_USER
from stageproof.model import Evidence, Finding

ID = "arbitrary-uid"
CLAIM = "serves as any user in group 0"
BROKEN = "does not serve as any user in group 0"
WHY = "OpenShift starts every image as a user of its own choice; what belongs to one user only cannot be read then."


def check(subject: Subject, path: str = "/") -> Finding:
    """Start it as 1234567:0, wait for an answer, and read whom the kernel takes every process for."""
    live = live_of(subject)
    try:
        with restricted(live, Options(user=ANY_USER), path) as (running, _):
            processes = running.helper.processes()
    except ContainerError as error:
        return ended(ID, error, do="let everybody read the app's files, and look up no user's name or home")
    user, _, group = ANY_USER.partition(":")
    others = [one for one in processes if one.users != {int(user)} or one.groups != {int(group)}]
    if others or not processes:
        seen = [Evidence(f"process {one.pid} ({one.name}) runs as {one.uid}:{one.gid}") for one in others]
        return unknown(ID, f"the engine did not start it as {ANY_USER}", seen)
    return passed(ID, CLAIM, [Evidence(f"process {one.pid} ({one.name}) runs as {ANY_USER}") for one in processes])
