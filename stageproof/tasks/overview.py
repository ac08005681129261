"""`help`: what there is to do."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from stageproof.tasks.job import say

_TEXT = """\
Stageproof: reference Dockerfiles that are proven, and the harness that proves them.

  make build-all test-all     build every image, and prove what each one claims
  make doctor                 what is here, what is missing, what to type

  make build ARGS="--stack go"               one stack; also --variant, --bases, --jobs
  make test-all ARGS="--variant distroless"  one variant; also --stack, --claim
  make rebuild ARGS="--stack go"             build again without the cache: are the files the same?
  make run ARGS="go distroless"              start one, and print its address
  make clean                                 remove what is ours, and nothing else

  make lint                   style, types, imports
  make test                   every tier: lint, types, imports, unit, engine, images
  make docs                   renew the generated parts: docker-bake.json, the README's table

  make engine.start | engine.stop | engine.status | engine.remove     the private engine

With .venv/bin on the PATH, `invoke build-all test-all` is the same as `make build-all test-all`;
`invoke --help build-all` tells the options."""


@task(name="help")
def help_(_: Context) -> None:
    """Say what there is to do."""
    say(_TEXT)
