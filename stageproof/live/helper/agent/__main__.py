"""Take the questions in, and give the answers out."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

from . import exchange, faults, proc, sink
from .exchange import Held, Json

QUESTIONS: dict[str, Callable[[Json, Held], Json]] = {
    "hello": lambda _ask, _held: proc.hello(),
    "clock": lambda _ask, _held: {"now": time.monotonic(), "boot": time.clock_gettime(time.CLOCK_BOOTTIME)},
    "http": lambda ask, _held: exchange.exchange(ask),
    "hold": exchange.hold,
    "collect": exchange.collect,
    "keep": exchange.keep,
    "kept": exchange.kept,
    "abandon": lambda ask, _held: exchange.abandon(ask),
    "sockets": lambda _ask, _held: proc.sockets(),
    "process": lambda ask, _held: proc.process(int(ask["pid"])),
    "processes": lambda _ask, _held: {"processes": proc.processes()},
    "zombies": lambda _ask, _held: {"processes": proc.zombies()},
    "read": lambda ask, _held: proc.read(ask["path"]),
    "open": lambda _ask, _held: {"files": proc.open_for_writing()},
    "sizes": lambda ask, _held: {"sizes": proc.sizes(ask["paths"])},
    "orphans": lambda ask, _held: faults.orphans(int(ask["count"])),
    "fill": lambda ask, _held: faults.fill(ask["folder"]),
    "unfill": lambda ask, _held: faults.unfill(ask["folder"]),
    "unrouted": lambda _ask, _held: faults.unrouted(),
    "sink": lambda _ask, _held: sink.begin(),
    "attempts": lambda _ask, _held: {"attempts": list(sink.attempts)},
    "crash": lambda ask, _held: faults.crash(int(ask["pid"]), ask["container"]),
    "hang": lambda ask, _held: faults.hang(int(ask["pid"]), ask["container"]),
}
written = threading.Lock()


def reply(line: str, held: Held, answers: TextIO) -> None:
    """Answer one question."""
    ask: Json = {}
    try:
        ask = json.loads(line)
        answer = QUESTIONS[ask["op"]](ask, held)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the asker must hear of it, and may ask on
        answer = {"fault": f"{type(error).__name__}: {error}"}
    if "number" in ask:
        answer = answer | {"number": ask["number"]}
    with written:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main(questions: TextIO, answers: TextIO) -> None:
    """Answer until there are no more questions."""
    held = Held()
    for line in questions:
        threading.Thread(target=reply, args=(line, held, answers), daemon=True).start()


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
    # Nobody listens any more: what still waits for an answer need not be waited for.
    written.acquire()
    os._exit(0)
