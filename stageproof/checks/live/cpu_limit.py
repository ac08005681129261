"""cpu-limit: the image serves with a part of one processor."""

from __future__ import annotations

from stageproof.checks.running import answered, burst, ended, live_of, restricted, tally
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options, cgroup
from stageproof.model import Evidence, Finding

ID = "cpu-limit"
CLAIM = "serves a load with half a processor"
BROKEN = "does not serve a load with half a processor"
WHY = "A cluster gives a container slices of a processor; a server whose time-outs are too short fails in between."


def check(subject: Subject, path: str = "/qr?text=processor", cpus: float = 0.5, requests: int = 16) -> Finding:
    """Take all but a part of one processor from the running container, and send some requests at once."""
    live = live_of(subject)
    try:
        with restricted(live, Options(), path) as (running, request), running.turn:
            running.container.limit_cpus(cpus)
            try:
                granted = cgroup.cpus(running.helper)
                answers = burst(running, request, requests)
            finally:
                running.container.limit_cpus(None)
    except ContainerError as error:
        return ended(ID, error)
    if granted != cpus:
        return unknown(ID, f"the engine set another limit than {cpus:g} processors: {granted}")
    slowest = max(answer.seconds for answer in answers)
    seen = [
        Evidence(f"the kernel grants {granted:g} processors"),
        Evidence(f"{requests} requests at once for {path}: {tally(answers)}, the slowest after {slowest:.2f} s"),
    ]
    if not all(answered(answer) for answer in answers):
        return failed(ID, BROKEN, seen, do="give the server's time-outs room, and fewer threads than the host has CPUs")
    return passed(ID, CLAIM, seen)
