"""no-zombies: processes that have ended are gone."""

from __future__ import annotations

from stageproof.checks.running import burst, ended, live_of, restricted
from stageproof.checks.subject import Subject, failed, passed
from stageproof.errors import ContainerError
from stageproof.live import Options, Process, Running
from stageproof.live.wait import until
from stageproof.model import Evidence, Finding

ID = "no-zombies"
CLAIM = "leaves no zombie processes"
BROKEN = "leaves zombie processes"
WHY = "The first process of a container inherits every orphan; if it never asks how they ended, their numbers run out."

ORPHANS = 2
DO = "wait for children in the first process, or put an init before it (`docker run --init`, tini)"


def check(subject: Subject, path: str = "/", seconds: float = 5, orphans: bool | None = None) -> Finding:
    """Use it and its health command, and count zombies; where it has children of its own, let orphans end too.

    `orphans` says whether that is done: by default only where it starts processes, which alone can leave orphans.
    """
    live = live_of(subject)
    command = live.health_command or []
    try:
        with restricted(live, Options(), path) as (running, request), running.turn:
            burst(running, request)
            if command[:1] == ["CMD"]:
                running.container.execute(command[1:])
            children = [one for one in running.helper.processes() if one.parent]
            tried = bool(children) if orphans is None else orphans
            made = running.helper.orphans(ORPHANS) if tried else []
            zombies = _zombies(running, seconds)
    except ContainerError as error:
        return ended(ID, error)
    tried_text = f"{len(made)} orphans were handed to its first process, and ended"
    none = "it starts no process of its own, so no orphans were tried"
    seen = [Evidence(f"it has {len(children)} child processes"), Evidence(tried_text if made else none)]
    if zombies:
        seen += [
            Evidence(f"zombie: process {one.pid} ({one.name}), a child of process {one.parent}") for one in zombies
        ]
        return failed(ID, BROKEN, seen, DO)
    return passed(ID, CLAIM, [*seen, Evidence("no process is a zombie")])


def _zombies(running: Running, seconds: float) -> list[Process]:
    """Give the zombies that are the first process's to see to, once it has had time for that."""
    last: list[Process] = []

    def gone() -> bool:
        last[:] = [one for one in running.helper.zombies() if one.parent == 1]
        return not last

    until(gone, seconds)
    return last
