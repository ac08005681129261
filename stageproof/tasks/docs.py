"""`docs`: renew what is generated from the folders and from the last build."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from stageproof import catalog
from stageproof.engine import bake, record
from stageproof.report import readme
from stageproof.tasks.job import ROOT, job, say


@task
@job
def docs(_: Context) -> None:
    """Write docker-bake.json from the folders, and the README's table from the last build."""
    read = catalog.read(ROOT)
    (ROOT / bake.FILE).write_text(bake.text(bake.definition(read)), encoding="utf-8")
    say(f"{bake.FILE}: {len(read.recipes)} images")
    path = ROOT / "README.md"
    path.write_text(readme.renewed(path.read_text(encoding="utf-8"), read, record.read(ROOT)), encoding="utf-8")
    say("README.md: the table of images")
