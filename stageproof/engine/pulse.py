"""Whether the engine still answers, asked while another program waits for it: buildx waits for ever."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import requests.exceptions
from docker.errors import DockerException

from stageproof.engine import client
from stageproof.engine.client import Engine

PAUSE_SECONDS = 10.0
MOST_SILENCES = 3
"""So many in a row: a machine that is busy with a build may well miss one."""
END_SECONDS = 10.0
"""How long a program may take to end when it is told to."""


class Pulse:
    """What the engine's silence was, if it fell silent."""

    def __init__(self) -> None:
        self.lost: DockerException | OSError | None = None


@contextmanager
def ends_with(engine: Engine, process: subprocess.Popen[str]) -> Iterator[Pulse]:
    """End a program when the engine that it waits for has stopped answering; `lost` then says what was seen."""
    pulse, over = Pulse(), threading.Event()
    ear = threading.Thread(target=_listen, args=(engine, process, pulse, over), daemon=True, name="pulse of the engine")
    ear.start()
    try:
        yield pulse
    finally:
        over.set()


def _listen(engine: Engine, process: subprocess.Popen[str], pulse: Pulse, over: threading.Event) -> None:
    silences = 0
    while not over.wait(PAUSE_SECONDS):
        silence = _silence(engine)
        silences = silences + 1 if silence else 0
        if silences == MOST_SILENCES and process.poll() is None:
            pulse.lost = silence
            process.terminate()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            return


def _silence(engine: Engine) -> DockerException | OSError | None:
    """Ask, and give what came instead of an answer."""
    try:
        client.knock(engine.host)
        opened = client.connect(engine.kind, engine.host, engine.context, client.ASK_SECONDS, engine.api)
        try:
            opened.ping()
        finally:
            opened.close()
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        return error
    return None
