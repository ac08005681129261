"""time-zone: every time that the image tells is right, whatever zone it runs in."""

from __future__ import annotations

from datetime import timedelta

from stageproof.checks.running import abroad, ended, live_of
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.checks.times import told
from stageproof.errors import ContainerError
from stageproof.live import Options
from stageproof.live.restrictions import ZONE
from stageproof.model import Evidence, Finding

ID = "time-zone"
CLAIM = "tells the right time in another time zone"
BROKEN = "tells a wrong time in another time zone"
WHY = "Times without their zone are hours off as soon as a machine stands elsewhere, and nobody can tell by how much."

NEAR = timedelta(minutes=5)
"""How far a line's time may be from when it came: no zone is less than a quarter of an hour from another."""
SHOWN = 3


def check(subject: Subject, path: str = "/") -> Finding:
    """Start it with TZ of another zone, and compare every time in its log and answers with the engine's clock."""
    live = live_of(subject)
    try:
        with abroad(live, Options(env={"TZ": ZONE}), path) as (running, request):
            times = told(running.container, running.ask(request))
    except ContainerError as error:
        return ended(ID, error)
    if not times:
        return unknown(
            ID, "tells no time: neither its log nor its answers hold one", do="write the time into each line"
        )
    wrong = [Evidence(f"at {one.true:%H:%M:%S} UTC it wrote: {one.text}") for one in times if abs(one.ahead) > NEAR]
    if wrong:
        return failed(ID, BROKEN, wrong[:SHOWN], do="write times in UTC with a Z, or with their offset")
    seen = [Evidence(f"with TZ={ZONE} it wrote: {one.text}") for one in times[:SHOWN]]
    return passed(ID, CLAIM, [*seen, Evidence(f"{len(times)} times were compared with the engine's clock")])
