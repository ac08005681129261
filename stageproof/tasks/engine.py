"""`engine.start`, `.stop`, `.status`, `.remove`: the private engine's life."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from stageproof.engine import private
from stageproof.tasks.job import job, say

PREFIX = "engine"


@task(help={"store": "the image store: classic (fast) or containerd (for attestations)"})
@job
def start(_: Context, store: str = "") -> None:
    """Start the private engine, and make it first if need be."""
    engine = private.start(say, store=private.store_named(store, "--store") if store else private.wanted_store())
    say(f"{engine.title}, {engine.store} image store")
    say(f"  export DOCKER_HOST={engine.host}")


@task
@job
def stop(_: Context) -> None:
    """Stop the private engine; its images stay."""
    say("stopped" if private.stop() else "the private engine does not run")


@task
@job
def status(_: Context) -> None:
    """Show what there is of the private engine."""
    for line in private.status().lines():
        say(line)


@task
@job
def remove(_: Context) -> None:
    """Stop the private engine and delete all of it: images, caches, files."""
    say("removed" if private.remove() else "there is no private engine")
