"""A running container: start it under given limits, wait, look inside, ask, stop, and leave nothing behind."""

from __future__ import annotations

from stageproof.interruption import sigterm_as_interrupt
from stageproof.live.answers import Answer, Kept, ListeningSocket, OpenFile, Process, Unrouted
from stageproof.live.container import Container, Probe, State
from stageproof.live.helper import Helper, Request
from stageproof.live.options import Options
from stageproof.live.run import Run
from stageproof.live.session import Live, Running
from stageproof.live.sweep import finish, remove_run, sweep

__all__ = [
    "Answer",
    "Container",
    "Helper",
    "Kept",
    "ListeningSocket",
    "Live",
    "OpenFile",
    "Options",
    "Probe",
    "Process",
    "Request",
    "Run",
    "Running",
    "State",
    "Unrouted",
    "finish",
    "remove_run",
    "sigterm_as_interrupt",
    "sweep",
]
