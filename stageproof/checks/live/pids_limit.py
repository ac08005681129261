"""pids-limit: the image serves a load within its limit of processes and threads."""

from __future__ import annotations

from stageproof.checks.running import BURST, answered, burst, ended, live_of, restricted, tally
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options, cgroup
from stageproof.model import Evidence, Finding

ID = "pids-limit"
CLAIM = "serves a load within its limit of processes and threads"
BROKEN = "does not serve a load within its limit of processes and threads"
WHY = "A thread that the kernel refuses is a crash in the middle of a load, and never in a test without the limit."
DO = "bound the pools of the server, also those sized by the number of CPUs, or raise the limit"


def check(subject: Subject, path: str = "/qr?text=processes", requests: int = BURST) -> Finding:
    """Send many requests at once under the limit, and ask the kernel whether it refused a process or thread."""
    live = live_of(subject)
    try:
        with restricted(live, Options(pids=live.limits.pids), path) as (running, request), running.turn:
            limit = cgroup.pids_limit(running.helper)
            answers = burst(running, request, requests)
            used, refused = cgroup.pids_used(running.helper), cgroup.pids_refused(running.helper)
    except ContainerError as error:
        return ended(ID, error, DO)
    if limit != live.limits.pids:
        return unknown(ID, f"the engine set another limit than {live.limits.pids}: {limit}")
    seen = [
        Evidence(f"the limit is {limit}; {used} are in use after the load, and the kernel refused {refused}"),
        Evidence(f"{requests} requests at once for {path}: {tally(answers)}"),
    ]
    if refused:
        return failed(ID, f"wanted more than {limit} processes and threads", seen, DO)
    if not all(answered(answer) for answer in answers):
        return failed(ID, BROKEN, seen, DO)
    return passed(ID, CLAIM, seen)
