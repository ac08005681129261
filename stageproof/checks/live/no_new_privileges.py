"""no-new-privileges: the image serves where no process can ever gain a privilege."""

from __future__ import annotations

from stageproof.checks.running import ended, live_of, restricted
from stageproof.checks.subject import Subject, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options
from stageproof.model import Evidence, Finding

ID = "no-new-privileges"
CLAIM = "serves where no new privileges can be gained"
BROKEN = "does not serve where no new privileges can be gained"
WHY = "With it a setuid program in the image is worth nothing to an intruder; clusters ask for it."


def check(subject: Subject, path: str = "/") -> Finding:
    """Start it with no-new-privileges, wait for an answer, and read the flag of every process."""
    live = live_of(subject)
    try:
        with restricted(live, Options(no_new_privileges=True), path) as (running, _):
            processes = running.helper.processes()
    except ContainerError as error:
        return ended(ID, error, do="start as the right user at once: no sudo, su or setuid program on the way")
    without = [one for one in processes if not one.no_new_privileges]
    if without or not processes:
        seen = [Evidence(f"process {one.pid} ({one.name}) may gain privileges") for one in without]
        return unknown(ID, "the engine did not forbid new privileges", seen)
    return passed(ID, CLAIM, [Evidence(f"process {one.pid} ({one.name}): NoNewPrivs is 1") for one in processes])
