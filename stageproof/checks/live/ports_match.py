"""ports-match: EXPOSE says what really listens."""

from __future__ import annotations

from stageproof.checks.running import ended, live_of
from stageproof.checks.subject import Subject, failed, passed
from stageproof.errors import ContainerError
from stageproof.live import ListeningSocket
from stageproof.live.wait import until
from stageproof.model import Evidence, Finding

ID = "ports-match"
CLAIM = "listens on exactly the ports that it exposes"
BROKEN = "does not listen on exactly the ports that it exposes"
WHY = "EXPOSE is what people and tools believe when they publish ports, write probes and open firewalls."

Port = tuple[str, int]


def check(subject: Subject) -> Finding:
    """Compare EXPOSE with the sockets of the container's own processes."""
    live = live_of(subject)
    exposed = set(live.exposed)
    try:
        running = live.serving()
        sockets = running.helper.sockets()
        until(lambda: exposed <= _ports(running.helper.sockets()), running.remaining())
        sockets = running.helper.sockets()
    except ContainerError as error:
        return ended(ID, error)
    missing, surplus = exposed - _ports(sockets), _reachable(sockets) - exposed
    evidence = [Evidence(f"listens: {one}, held by process {one.owners[0]}") for one in _shown(sockets, exposed)]
    evidence += [Evidence(f"exposed, but nothing listens: {_text(port)}") for port in sorted(missing)]
    evidence += [Evidence(f"listens, but is not exposed: {_text(port)}") for port in sorted(surplus)]
    if missing or surplus:
        return failed(ID, BROKEN, evidence, do="make EXPOSE and the app's port the same")
    return passed(ID, CLAIM, evidence)


def _ports(sockets: list[ListeningSocket]) -> set[Port]:
    return {(socket.protocol, socket.port) for socket in sockets}


def _reachable(sockets: list[ListeningSocket]) -> set[Port]:
    """Leave out what nobody outside can reach, and UDP: an asking client's socket looks like a listening one."""
    return {(one.protocol, one.port) for one in sockets if one.protocol == "tcp" and not one.loopback_only}


def _shown(sockets: list[ListeningSocket], exposed: set[Port]) -> list[ListeningSocket]:
    return [one for one in sockets if one.protocol == "tcp" or (one.protocol, one.port) in exposed]


def _text(port: Port) -> str:
    return f"{port[1]}/{port[0]}"
