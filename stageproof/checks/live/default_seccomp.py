"""default-seccomp: the image serves under the engine's own filter of system calls."""

from __future__ import annotations

from stageproof.checks.running import ended, live_of, restricted
from stageproof.checks.subject import Subject, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options
from stageproof.model import Evidence, Finding

ID = "default-seccomp"
CLAIM = "serves under the engine's default filter of system calls"
BROKEN = "does not serve under the engine's default filter of system calls"
WHY = "An app that needs the filter switched off cannot run where clusters insist on it."


def check(subject: Subject, path: str = "/") -> Finding:
    """Start it with the engine's default profile, wait for an answer, and read the mode of every process."""
    live = live_of(subject)
    try:
        with restricted(live, Options(), path) as (running, _):
            processes = running.helper.processes()
    except ContainerError as error:
        return ended(ID, error, do="find the system call that is refused, and do without it")
    free = [one for one in processes if not one.seccomp]
    if free or not processes:
        seen = [Evidence(f"process {one.pid} ({one.name}): Seccomp is {one.status.get('Seccomp')}") for one in free]
        return unknown(ID, "the engine does not filter system calls", seen, "use an engine with its default profile")
    return passed(ID, CLAIM, [Evidence(f"process {one.pid} ({one.name}): Seccomp is 2") for one in processes])
