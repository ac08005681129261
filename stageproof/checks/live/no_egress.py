"""no-egress: the image starts and serves without trying to reach anybody."""

from __future__ import annotations

from stageproof.checks.running import ended, live_of, restricted
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError, Error
from stageproof.live import Live, Options, Request
from stageproof.model import Evidence, Finding

ID = "no-egress"
CLAIM = "tries to reach nobody"
BROKEN = "tries to reach somebody"
WHY = "What is fetched at the start is a start that fails some day, and nobody knows what leaves the machine."


def check(subject: Subject, path: str = "/") -> Finding:
    """Ask the kernel how often anybody in the container's network looked for a way out of it, since it began."""
    live = live_of(subject)
    try:
        with restricted(live, Options(), path) as (running, request):
            network = running.container.inspect()["HostConfig"]["NetworkMode"]
            unrouted = running.helper.unrouted()
    except ContainerError as error:
        return ended(ID, error, do="start without fetching anything, and find by environment what to talk to")
    if network != "none" or not unrouted.control:
        return unknown(ID, "the kernel's counters did not notice a try of the helper's own", [Evidence(str(unrouted))])
    if unrouted.ipv4 or unrouted.ipv6:
        text = f"ways to other machines asked for: {unrouted.ipv4} over IPv4, {unrouted.ipv6} over IPv6"
        do = "switch off update checks, telemetry and what is fetched at the start"
        return failed(ID, BROKEN, [Evidence(text), *_looked_for(live, request)], do)
    seen = [
        Evidence("no way to another machine was asked for since the container's network began"),
        Evidence("control: a try of the helper's own was counted"),
    ]
    return passed(ID, CLAIM, seen)


def _looked_for(live: Live, request: Request) -> list[Evidence]:
    """Name those that it looks for, in a second container whose network leads nowhere; a help and no decision."""
    try:
        return [Evidence(f"it looked for {one}") for one in live.looked_for(request)]
    except Error as error:
        return [Evidence(f"whom it looked for could not be seen: {error.failed}")]
