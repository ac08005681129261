"""What the tasks that need an engine begin with."""

from __future__ import annotations

from stageproof import catalog, workbench
from stageproof.tasks.job import ROOT, say
from stageproof.workbench import Workbench


def workbench_of_this_project() -> Workbench:
    """Open the workbench of this repository, and say what the engine's start says. Raises EngineError."""
    return workbench.open_engine(catalog.read(ROOT), lambda line: say(f"engine  {line}"))
