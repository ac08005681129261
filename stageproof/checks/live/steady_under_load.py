"""steady-under-load: what a load takes is given back when it is over."""

from __future__ import annotations

from dataclasses import dataclass

from stageproof.checks.running import BURST, answered, burst, ended, live_of, restricted, tally
from stageproof.checks.subject import Subject, failed, passed
from stageproof.errors import ContainerError
from stageproof.live import Answer, Options, Running, cgroup
from stageproof.live.wait import until
from stageproof.model import Evidence, Finding

ID = "steady-under-load"
CLAIM = "gives files, threads and memory back after a load"
BROKEN = "does not give files, threads or memory back after a load"
WHY = "A file, a thread or a kilobyte lost with every thousandth request is an outage some night, far from its cause."

LOADS = 3
"""How often the load may be sent again while files or threads still grow."""
MEMORY_LOADS = 12
"""The same for memory: a runtime that collects its garbage grows until it does, and no longer."""
SPARE = 5
TENTH = 0.1
MEGABYTE = 1_000_000
SPARE_MEMORY = 4 * MEGABYTE
DO = "close what is opened for a request in every path, bound pools and caches, and bound the runtime's heap"


@dataclass(frozen=True)
class Held:
    """What its processes hold."""

    files: int
    threads: int
    memory: int
    """Bytes."""

    def counts_within(self, before: Held) -> bool:
        """Tell whether files and threads are no more than before, give or take a tenth and some spare ones."""
        pairs = ((self.files, before.files), (self.threads, before.threads))
        return all(now <= then * (1 + TENTH) + SPARE for now, then in pairs)

    def __str__(self) -> str:
        """Say how much."""
        return f"{self.files} files, {self.threads} threads and {self.memory / MEGABYTE:.1f} MB"


def check(subject: Subject, path: str = "/qr?text=steady", bursts: int = 5, settle: float = 10) -> Finding:
    """Send a load, and the same again: after the first, which fills its pools, nothing more may be kept.

    A pool that was not full yet grows once more, garbage piles up until it is collected, and a leak grows with every
    load.
    """
    live = live_of(subject)
    answers: list[Answer] = []
    try:
        with restricted(live, Options(memory=live.limits.memory), path) as (running, request), running.turn:
            answers += burst(running, request)
            held = [_held(running)]
            while _may_still_settle(held):
                answers += [answer for _ in range(bursts - 1) for answer in burst(running, request)]
                until(lambda: _held(running).counts_within(held[-1]), settle)
                held.append(_held(running))
    except ContainerError as error:
        return ended(ID, error, DO)
    seen = [
        Evidence(f"{len(answers)} requests for {path}, {BURST} at once: {tally(answers)}"),
        Evidence(f"after the first {BURST}: {held[0]}"),
        *(Evidence(f"after {BURST * (bursts - 1)} more: {each}") for each in held[1:]),
    ]
    if not all(answered(answer) for answer in answers):
        return failed(ID, "does not answer every request of a load", seen, DO)
    if not _counts_steady(held):
        return failed(ID, "does not give files and threads back after a load", seen, DO)
    if not _memory_steady(held):
        return failed(ID, "takes more memory with every load", seen, DO)
    return passed(ID, CLAIM, seen)


def _held(running: Running) -> Held:
    processes = running.helper.processes()
    files, threads = sum(one.files for one in processes), sum(one.threads for one in processes)
    return Held(files, threads, cgroup.memory_used(running.helper))


def _may_still_settle(held: list[Held]) -> bool:
    """Tell whether the load is to be sent once more."""
    if not _counts_steady(held):
        return len(held) <= LOADS
    return not _memory_steady(held) and len(held) <= MEMORY_LOADS


def _counts_steady(held: list[Held]) -> bool:
    return len(held) > 1 and held[-1].counts_within(held[-2])


def _memory_steady(held: list[Held]) -> bool:
    """Tell whether the last load took no more than a tenth of what was held at first, and a spare.

    The share is of the first, so that a leak does not become small beside what it has leaked.
    """
    return len(held) > 1 and held[-1].memory - held[-2].memory <= held[0].memory * TENTH + SPARE_MEMORY
