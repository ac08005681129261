"""listens-everywhere: the exposed ports can be reached from outside the container."""

from __future__ import annotations

from stageproof.checks.running import ended, live_of
from stageproof.checks.subject import Subject, failed, passed
from stageproof.errors import ContainerError
from stageproof.live import ListeningSocket, Live
from stageproof.live.session import Running
from stageproof.live.wait import until
from stageproof.model import Evidence, Finding

ID = "listens-everywhere"
CLAIM = "listens on all interfaces"
BROKEN = "does not listen on all interfaces"
WHY = "What listens on the loopback alone works in every test inside the container, and for nobody outside."


def check(subject: Subject) -> Finding:
    """Look at the addresses of the sockets behind every port that it serves."""
    live = live_of(subject)
    if not live.exposed:
        return failed(ID, "exposes no port, so it cannot be said where it should listen", do="add EXPOSE")
    try:
        running = live.serving()
        until(lambda: not _elsewhere(live, running), running.remaining())
        sockets, elsewhere = running.helper.sockets(), _elsewhere(live, running)
    except ContainerError as error:
        return ended(ID, error)
    ports = _ports(live, sockets)
    evidence = [Evidence(f"listens: {socket}") for socket in sockets if (socket.protocol, socket.port) in ports]
    if elsewhere:
        evidence += [Evidence(f"not on all interfaces: port {port}/{protocol}") for protocol, port in elsewhere]
        return failed(ID, BROKEN, evidence, do="listen on 0.0.0.0 or [::], not on 127.0.0.1 or localhost")
    return passed(ID, CLAIM, evidence)


def _elsewhere(live: Live, running: Running) -> list[tuple[str, int]]:
    sockets = running.helper.sockets()
    ports = _ports(live, sockets)
    return [port for port in ports if not any(_answers_for(port, socket) for socket in sockets)]


def _ports(live: Live, sockets: list[ListeningSocket]) -> list[tuple[str, int]]:
    """Give the exposed ports; where nothing listens on any of them, the ports that something listens on.

    That EXPOSE is wrong is what ports-match says.
    """
    listening = [(socket.protocol, socket.port) for socket in sockets if socket.protocol == "tcp"]
    wrong = not set(live.exposed) & {(socket.protocol, socket.port) for socket in sockets}
    return listening if wrong and listening else live.exposed


def _answers_for(port: tuple[str, int], socket: ListeningSocket) -> bool:
    return (socket.protocol, socket.port) == port and socket.everywhere
