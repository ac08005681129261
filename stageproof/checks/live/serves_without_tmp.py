"""serves-without-tmp: with nothing at all to write to it serves, or says at its start that it cannot."""

from __future__ import annotations

from stageproof.checks.running import answered, ended, lines, live_of, trace_in
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Container, Options, Request, Running
from stageproof.live.helper.beside import attach
from stageproof.model import Evidence, Finding

ID = "serves-without-tmp"
CLAIM = "serves without a /tmp to write to, or says at its start that it needs one"
BROKEN = "neither serves without a /tmp to write to, nor says that it needs one"
WHY = "A read-only root without a tmpfs is the strictest start; what fails there only at some request fails at night."
DO = "write nothing, or check at the start that /tmp can be written, and end with a line that says so"
LAST = 5
LAST_CHANCE = 1.0
"""Seconds in which it may still end when it had as long as any start may take."""


def check(subject: Subject, path: str = "/") -> Finding:
    """Start it read-only without any tmpfs: an answer is right, and so is an end with an exit code and a clear line."""
    live = live_of(subject)
    try:
        with live.start(Options(read_only=True)) as container:
            try:
                with attach(container, live.helper_image, live.run) as helper:
                    running = Running(container, helper, live.deadline())
                    answer = running.answer(Request(path, port=live.port), answered)
                    mounts = helper.read("/proc/1/mountinfo") or ""
            except ContainerError:
                return _end(container)
            return _served(path, mounts) if answered(answer) else _end(container)
    except ContainerError as error:
        return ended(ID, error, DO)


def _served(path: str, mounts: str) -> Finding:
    writable = [words for words in map(str.split, mounts.splitlines()) if words[4:5] in (["/"], ["/tmp"])]  # noqa: S108
    if any("rw" in words[5].split(",") for words in writable):
        return unknown(ID, "the engine gave it something to write to", lines(mounts))
    return passed(ID, CLAIM, [Evidence(f"GET {path} is answered, and nothing can be written")])


def _end(container: Container) -> Finding:
    """Judge how it says that it cannot serve."""
    state = container.wait_ended(LAST_CHANCE)
    printed = container.output().decode(errors="replace")
    seen = lines(printed)[-LAST:]
    if state is None:
        return failed(ID, "runs on, and does not serve", seen, DO)
    seen.insert(0, Evidence(f"it ended with exit code {state.exit_code}"))
    if state.exit_code == 0:
        return failed(ID, "ended as if all was well", seen, DO)
    if not printed.strip():
        return failed(ID, "ended without a word", seen, DO)
    if trace_in(printed):
        return failed(ID, "ended with a stack trace instead of a message", seen, DO)
    return passed(ID, CLAIM, seen)
