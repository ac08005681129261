"""Does a container registry answer? One short question to each, through the engine that would pull from it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait

import requests
from docker.errors import DockerException

from stageproof.engine.client import Engine, connect

SECONDS = 3.0
"""How long the whole probe may take."""


def host(reference: str) -> str:
    """Give the registry of a reference: `gcr.io` of `gcr.io/distroless/cc`, `docker.io` where none is named."""
    first, slash, _ = reference.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def reachable(references: Iterable[str], engine: Engine) -> frozenset[str]:
    """Name the registries of these references that answer within the probe's time.

    One reference of each registry is asked for, all at once.
    """
    one_each = {host(reference): reference for reference in references}
    pool = ThreadPoolExecutor(max_workers=max(1, len(one_each)))
    questions = {pool.submit(_answers, reference, engine): name for name, reference in one_each.items()}
    done, _ = wait(questions, timeout=SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    return frozenset(questions[question] for question in done if question.result())


def _answers(reference: str, engine: Engine) -> bool:
    try:
        client = connect(engine.kind, engine.host, engine.context, SECONDS, engine.api)
        try:
            client.images.get_registry_data(reference)
        finally:
            client.close()
    except (DockerException, requests.RequestException, OSError):
        return False
    return True
