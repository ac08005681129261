"""steady-under-load: what a load takes is given back when it is over."""

from __future__ import annotations

from dataclasses import dataclass

from stageproof.checks.running import BURST, answered, burst, ended, live_of, restricted, tally
from stageproof.checks.subject import Subject, failed, passed
from stageproof.errors import ContainerError
from stageproof.live import Answer, Options, Running
from stageproof.live.wait import until
from stageproof.model import Evidence, Finding

ID = "steady-under-load"
CLAIM = "gives files and threads back after a load"
BROKEN = "does not give files and threads back after a load"
WHY = "A file or a thread lost with every thousandth request is an outage some night, far from its cause."

LOADS = 3
"""How often the load may be sent again while what is held still grows."""
SPARE = 5
TENTH = 0.1
DO = "close what is opened for a request in every path, and bound the pools"


@dataclass(frozen=True)
class Held:
    """What its processes hold."""

    files: int
    threads: int

    def is_within(self, before: Held) -> bool:
        """Tell whether it is no more than before, give or take a tenth and some spare ones."""
        pairs = ((self.files, before.files), (self.threads, before.threads))
        return all(now <= then * (1 + TENTH) + SPARE for now, then in pairs)

    def __str__(self) -> str:
        """Say how much."""
        return f"{self.files} files and {self.threads} threads"


def check(subject: Subject, path: str = "/qr?text=steady", bursts: int = 5, settle: float = 10) -> Finding:
    """Send a load, and the same again: after the first, which fills its pools, nothing more may be kept.

    A pool that was not full yet grows once more, and a leak grows with every load.
    """
    live = live_of(subject)
    answers: list[Answer] = []
    try:
        with restricted(live, Options(), path) as (running, request), running.turn:
            answers += burst(running, request)
            held = [_held(running)]
            while len(held) <= LOADS and not (len(held) > 1 and held[-1].is_within(held[-2])):
                answers += [answer for _ in range(bursts - 1) for answer in burst(running, request)]
                until(lambda: _held(running).is_within(held[-1]), settle)
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
    if not held[-1].is_within(held[-2]):
        return failed(ID, BROKEN, seen, DO)
    return passed(ID, CLAIM, seen)


def _held(running: Running) -> Held:
    processes = running.helper.processes()
    return Held(sum(one.files for one in processes), sum(one.threads for one in processes))
