"""pid-1-is-the-app: the first process is the app, and no shell that keeps signals from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from stageproof.checks.running import ended, live_of, restricted
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import ListeningSocket, Options, Process
from stageproof.model import Evidence, Finding

ID = "pid-1-is-the-app"
CLAIM = "has the app as its first process"
BROKEN = "does not have the app as its first process"
WHY = "Engines send the stop signal to the first process alone; a shell there keeps it to itself."
DO = "use the exec form of ENTRYPOINT, and end an entry script with exec"


def check(subject: Subject, path: str = "/", init: Sequence[str] = ()) -> Finding:
    """Look who holds the listening socket: the first process itself, or children of the same program.

    `init` names programs that may stand before the app, such as "tini".
    """
    live = live_of(subject)
    try:
        with restricted(live, Options(), path) as (running, request):
            processes = {one.pid: one for one in running.helper.processes()}
            sockets = [one for one in running.helper.sockets() if one.port == request.port]
    except ContainerError as error:
        return ended(ID, error)
    if 1 not in processes or not sockets:
        return unknown(ID, "its first process or its socket is not to be seen")
    first = processes[1]
    seen = [Evidence(_text(one, sockets)) for one in processes.values()]
    if PurePosixPath(first.program).name in init:
        return passed(ID, f"has the declared init {first.program} as its first process", seen)
    owners = [processes[pid] for socket in sockets for pid in socket.owners if pid in processes]
    if 1 in {one.pid for one in owners}:
        return passed(ID, CLAIM, seen)
    if owners and all(one.program == first.program and not _is_inline(first) for one in owners):
        return passed(ID, CLAIM, seen)
    return failed(ID, BROKEN, seen, DO)


def _is_inline(process: Process) -> bool:
    """Tell whether it runs words of its command line as a program, as a shell does with -c."""
    return "-c" in process.cmdline[:3]


def _text(process: Process, sockets: Sequence[ListeningSocket]) -> str:
    holds = ", holds the socket" if any(process.pid in socket.owners for socket in sockets) else ""
    return f"process {process.pid}, started by {process.parent}: {' '.join(process.cmdline)}{holds}"
