"""no-capabilities: the image serves with every capability dropped."""

from __future__ import annotations

from stageproof.checks.running import ended, live_of, restricted
from stageproof.checks.subject import Subject, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options
from stageproof.model import Evidence, Finding

ID = "no-capabilities"
CLAIM = "serves without any capability"
BROKEN = "does not serve without capabilities"
WHY = "Every capability that an app keeps is one that an intruder gets; clusters drop them all."


def check(subject: Subject, path: str = "/") -> Finding:
    """Drop all capabilities, wait for an answer, and read what sets every process has."""
    live = live_of(subject)
    try:
        with restricted(live, Options(drop_capabilities=True), path) as (running, _):
            processes = running.helper.processes()
    except ContainerError as error:
        return ended(ID, error, do="use a port of 1024 or above, and no chown, setuid or raw socket")
    capable = [one for one in processes if one.ever_capable]
    if capable or not processes:
        seen = [
            Evidence(f"process {one.pid} ({one.name}) has the capabilities {one.capabilities:#x}") for one in capable
        ]
        return unknown(ID, "the engine did not take all capabilities away", seen)
    return passed(ID, CLAIM, [Evidence(f"process {one.pid} ({one.name}): every set is empty") for one in processes])
