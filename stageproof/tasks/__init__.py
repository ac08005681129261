"""The invoke tasks: arguments and printing, nothing else."""

from __future__ import annotations

import importlib
import pkgutil
import sys

from invoke.collection import Collection
from invoke.tasks import Task

from stageproof.tasks.usage import check


def namespace() -> Collection:
    """Collect the tasks of every module of this package; those of `engine.py` are called `engine.<name>`."""
    collection = Collection()
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        below = getattr(loaded, "PREFIX", None)
        target = Collection(below) if below else collection
        for each in vars(loaded).values():
            if isinstance(each, Task) and each.body.__module__ == loaded.__name__:
                target.add_task(each)
        if below:
            collection.add_collection(target)
    check(collection, sys.argv)
    return collection
