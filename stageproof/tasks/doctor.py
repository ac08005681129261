"""`doctor`: what is here, what is missing, what to type."""

from __future__ import annotations

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from stageproof import catalog
from stageproof.engine.doctor import examine
from stageproof.errors import CatalogError
from stageproof.report.doctor import lines
from stageproof.tasks.job import ROOT, job, say, say_error


@task
@job
def doctor(_: Context) -> None:
    """Say what was looked for, found and chosen, and what to type."""
    try:
        references = [reference for base in catalog.read(ROOT).bases for reference in base.references[:1]]
    except CatalogError as error:  # somebody's unfinished file is no reason to look at nothing
        say_error(error)
        references = []
    seen = examine(references)
    for line in lines(seen):
        say(line)
    if seen[-1].exit_code:
        raise Exit(code=seen[-1].exit_code)
