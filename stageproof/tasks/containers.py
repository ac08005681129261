"""`run` and `clean`: start one image to look at it, and remove what is ours."""

from __future__ import annotations

import shutil

from invoke.context import Context
from invoke.tasks import task

from stageproof.engine import leftovers, record
from stageproof.live.served import served
from stageproof.tasks.job import ROOT, job, say
from stageproof.tasks.open import workbench_of_this_project

_PORT = 8080


@task(positional=["stack", "variant"], help={"stack": "such as go", "variant": "such as distroless"})
@job
def run(_: Context, stack: str, variant: str) -> None:
    """Start one image under its limits and print its address; Ctrl-C stops and removes it."""
    bench = workbench_of_this_project()
    (recipe,) = bench.catalog.select(stack, variant)
    build = record.require(record.read(bench.root), recipe.name, bench.engine_id)
    with served(bench.client, build.digest, _PORT, recipe.stack.limits) as container:
        say(f"{recipe.name} answers at {container.address}    Ctrl-C stops it")
        container.wait()


@task
@job
def clean(_: Context) -> None:
    """Remove this project's containers, networks, volumes and images from the engine, and nothing else.

    The builder's cache stays: it is not ours alone. `engine.remove` takes away the private engine whole.
    """
    bench = workbench_of_this_project()
    for line in leftovers.remove(bench.client):
        say(f"removed {line}")
    shutil.rmtree(ROOT / record.FOLDER, ignore_errors=True)
