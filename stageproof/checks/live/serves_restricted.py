"""serves-restricted: the image works under the strictest limits that clusters set."""

from __future__ import annotations

import time

from stageproof.checks.running import live_of, written_when_it_may
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Answer, Live, Options, Process, Request
from stageproof.live.restrictions import READ_ONLY, TMPFS, restrictions
from stageproof.live.session import Running
from stageproof.model import Evidence, Finding

ID = "serves-restricted"
CLAIM = "serves with a read-only root, no capabilities, any user, small limits and no network"
BROKEN = "does not serve under restrictions"
WHY = "Clusters run images like this; an image that needs more is found out at its first deployment."


def check(subject: Subject, path: str = "/qr?text=restricted", status: int = 200) -> Finding:
    """Wait for the first right answer under all restrictions, and read what the kernel says of the process."""
    live = live_of(subject)
    request = Request(path, port=live.port)

    def right(answer: Answer) -> bool:
        return answer.status == status

    try:
        running = live.restricted()
        answer = running.answer(request, right)
    except ContainerError as error:
        return _blame(live, request, status, [error.failed, *error.seen.splitlines()])
    if not right(answer):
        return _blame(live, request, status, [f"GET {path}: {answer}", *running.container.last_lines().splitlines()])
    return _state(running, answer, path, live.any_user)


def _state(running: Running, answer: Answer, path: str, user: str) -> Finding:
    """Prove that the restrictions were really in force, and that nothing was written."""
    process = running.helper.process()
    wrong = _not_in_force(process, user)
    if wrong:
        return unknown(ID, "the engine did not put the restrictions in force", [Evidence(line) for line in wrong])
    changed = [line for line in running.container.changed_files() if line[2:] not in TMPFS]
    if changed:
        return failed(ID, "wrote into its file system", [Evidence(line) for line in changed])
    evidence = [
        Evidence(f"GET {path}: {answer}"),
        Evidence(f"uid {process.uid}, gid {process.gid}, capabilities {process.capabilities:#x}, no new privileges"),
        Evidence("docker diff is empty"),
    ]
    return passed(ID, CLAIM, evidence)


def _not_in_force(process: Process, user: str) -> list[str]:
    seen = []
    if f"{process.uid}:{process.gid}" != user:
        seen.append(f"it runs as {process.uid}:{process.gid}")
    if process.capabilities:
        seen.append(f"it has the capabilities {process.capabilities:#x}")
    if not process.no_new_privileges:
        seen.append("it may gain new privileges")
    return seen


def _blame(live: Live, request: Request, status: int, seen: list[str]) -> Finding:
    """Find the restriction to blame: first none of them, then one at a time."""
    evidence = [Evidence(line) for line in seen]
    began = time.monotonic()
    free = _trouble(live, Options(network="bridge"), request, status, live.limits.start_seconds)
    if free:
        message = "does not serve even without any restriction"
        return failed(ID, message, evidence + [Evidence(line) for line in free])
    # What starts freely in this time may take somewhat longer, but not for ever.
    seconds = min(live.limits.start_seconds, 3 * (time.monotonic() - began) + 1)
    guilty = []
    for name, fields in restrictions(live.limits, live.any_user).items():
        trouble = _trouble(live, Options(**{"network": "bridge", **fields}), request, status, seconds)
        if trouble:
            guilty.append(name)
            evidence += [Evidence(f"with {name} alone: {line}") for line in trouble]
    if READ_ONLY in guilty:
        evidence += [
            Evidence(f"without a read-only root it wrote: {line}") for line in written_when_it_may(live, request)
        ]
    blamed = " or ".join(guilty) if guilty else "all restrictions together, although with each one alone"
    return failed(ID, f"does not serve with {blamed}", evidence, do=f"docs/checks/{ID}.md has what usually helps")


def _trouble(live: Live, options: Options, request: Request, status: int, seconds: float) -> list[str]:
    """Tell what goes wrong under these options; nothing if it serves."""
    try:
        with live.running(options) as running:
            within = Running(running.container, running.helper, time.monotonic() + seconds)
            answer = within.answer(request, lambda answer: answer.status == status)
            if answer.status == status:
                return []
            return [str(answer), *running.container.last_lines(3).splitlines()]
    except ContainerError as error:
        return [error.failed, *error.seen.splitlines()[-3:]]
