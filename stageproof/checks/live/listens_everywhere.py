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
    """Look at the addresses of the sockets behind every exposed port."""
    live = live_of(subject)
    if not live.exposed:
        return failed(ID, "exposes no port, so it cannot be said where it should listen", do="add EXPOSE")
    try:
        running = live.serving()
        until(lambda: not _elsewhere(live, running), running.remaining())
        sockets, elsewhere = running.helper.sockets(), _elsewhere(live, running)
    except ContainerError as error:
        return ended(ID, error)
    evidence = [Evidence(f"listens: {socket}") for socket in sockets if (socket.protocol, socket.port) in live.exposed]
    if elsewhere:
        evidence += [Evidence(f"not on all interfaces: port {port}/{protocol}") for protocol, port in elsewhere]
        return failed(ID, BROKEN, evidence, do="listen on 0.0.0.0 or [::], not on 127.0.0.1 or localhost")
    return passed(ID, CLAIM, evidence)


def _elsewhere(live: Live, running: Running) -> list[tuple[str, int]]:
    sockets = running.helper.sockets()
    return [port for port in live.exposed if not any(_answers_for(port, socket) for socket in sockets)]


def _answers_for(port: tuple[str, int], socket: ListeningSocket) -> bool:
    return (socket.protocol, socket.port) == port and socket.everywhere
