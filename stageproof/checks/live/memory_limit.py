"""memory-limit: the image serves a load within its memory limit."""

from __future__ import annotations

from stageproof.checks.running import BURST, answered, burst, ended, live_of, restricted, tally
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options, cgroup
from stageproof.model import Evidence, Finding

ID = "memory-limit"
CLAIM = "serves a load within its memory limit"
BROKEN = "does not serve a load within its memory limit"
WHY = "A runtime that sizes itself by the host is killed by the kernel under the first load, without a word."

MEGABYTE = 1_000_000
PAGE = 4096
DO = "set the runtime's heap, or raise the limit"


def check(subject: Subject, path: str = "/qr?text=memory", requests: int = BURST) -> Finding:
    """Send many requests at once under the limit, swap off, and ask the kernel whether it ended a process."""
    live = live_of(subject)
    try:
        with restricted(live, Options(memory=live.limits.memory), path) as (running, request), running.turn:
            limit = cgroup.memory_limit(running.helper)
            before = cgroup.memory_kills(running.helper)
            answers = burst(running, request, requests)
            kills = cgroup.memory_kills(running.helper) - before
            used, state = cgroup.memory_used(running.helper), running.container.state()
    except ContainerError as error:
        return ended(ID, error, DO)
    if limit is None or abs(limit - live.limits.memory) >= PAGE:
        return unknown(ID, f"the engine set another limit than {live.limits.memory} bytes: {limit}")
    seen = [
        Evidence(f"the limit is {limit / MEGABYTE:g} MB, without swap"),
        Evidence(f"{requests} requests at once for {path}: {tally(answers)}"),
        Evidence(f"{used / MEGABYTE:.0f} MB are in use after it; the kernel ended {kills} processes"),
    ]
    if kills or state.out_of_memory:
        return failed(ID, "was short of memory: the kernel ended a process", seen, DO)
    if not all(answered(answer) for answer in answers):
        return failed(ID, BROKEN, seen, DO)
    return passed(ID, CLAIM, seen)
