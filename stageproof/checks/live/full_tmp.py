"""full-tmp: the image lives on when /tmp is full."""

from __future__ import annotations

from stageproof.checks.running import answered, ended, live_of, restricted
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options, Request
from stageproof.live.restrictions import TMPFS
from stageproof.model import Evidence, Finding

ID = "full-tmp"
CLAIM = "lives on when /tmp is full"
BROKEN = "does not live on when /tmp is full"
WHY = "Nobody watches /tmp; one large upload or one forgotten file fills it, and must not be the end of the service."

FOLDER = "/tmp"  # noqa: S108 -- the container's own
DO = "let what needs a file fail alone, with an error of its own, and keep the process"


def check(subject: Subject, path: str = "/qr?text=full", upload: int = 60_000) -> Finding:
    """Fill the tmpfs on /tmp to its last byte, ask, send a body, and ask again when there is room."""
    live = live_of(subject)
    try:
        with restricted(live, Options(tmpfs=TMPFS), path) as (running, request), running.turn:
            if not running.container.inspect()["HostConfig"].get("Tmpfs"):
                return unknown(ID, "the engine gave it no tmpfs to fill")
            try:
                free = running.helper.fill(FOLDER)
                during = running.ask(request)
                sent = running.ask(Request("/", method="POST", port=request.port, body=bytes(upload)))
            finally:
                running.helper.unfill(FOLDER)
            after = running.ask(request)
    except ContainerError as error:
        return ended(ID, error, DO)
    seen = [
        Evidence(f"{free} bytes were left on {FOLDER}"),
        Evidence(f"GET {path} while it was full: {during}"),
        Evidence(f"POST / with {upload} bytes while it was full: {sent}"),
        Evidence(f"GET {path} when there was room again: {after}"),
    ]
    if free:
        return unknown(ID, f"{FOLDER} could not be filled", seen)
    if not answered(after) or not during.status or not sent.status:
        return failed(ID, BROKEN, seen, DO)
    return passed(ID, CLAIM, seen)
