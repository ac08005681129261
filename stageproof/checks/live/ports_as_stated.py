"""ports-as-stated: what the contract states listens, or does not."""

from __future__ import annotations

from collections.abc import Sequence

from stageproof.checks import stated
from stageproof.checks.running import ended, live_of
from stageproof.checks.subject import Subject, failed, not_applicable, passed
from stageproof.errors import ContainerError
from stageproof.live import ListeningSocket
from stageproof.live.wait import until
from stageproof.model import Evidence, Finding

ID = "ports-as-stated"
CLAIM = "listens where its contract states"
BROKEN = "does not listen where its contract states"
WHY = "Whoever publishes a port, or writes a firewall rule for it, relies on it."
KEYS = ("port", "listening", "addresses")

Row = stated.Row


def check(subject: Subject, ports: Sequence[Row] = ()) -> Finding:
    """Compare rows `{ port = "tcp:8080", listening = true, addresses = [...] }` with the container's own sockets."""
    rows = stated.rows(ID, ports, KEYS, "port")
    if not rows:
        return not_applicable(ID, stated.NOTHING)
    live = live_of(subject)
    try:
        running = live.serving()
        until(lambda: not _wrong(rows, running.helper.sockets()), running.remaining())
        sockets = running.helper.sockets()
    except ContainerError as error:
        return ended(ID, error)
    wrong = _wrong(rows, sockets)
    evidence = [Evidence(text) for text in wrong] + [Evidence(f"listens: {socket}") for socket in sockets]
    if wrong:
        return failed(ID, BROKEN, evidence, do="make the app's port and the contract the same")
    return passed(ID, CLAIM, evidence)


def _wrong(rows: Sequence[Row], sockets: Sequence[ListeningSocket]) -> list[str]:
    wrong = []
    for row in rows:
        protocol, number = _port(str(row["port"]))
        own = [socket for socket in sockets if (socket.protocol, socket.port) == (protocol, number)]
        if bool(own) is not (row.get("listening", True) is True):
            wrong.append(
                f"{protocol}:{number} {'is listened on' if own else 'is not listened on'}, stated is the contrary"
            )
            continue
        there = {socket.address for socket in own}
        wrong += [
            f"{protocol}:{number} is not listened on at {address}"
            for address in stated.words(ID, row, "addresses")
            if address not in there
        ]
    return wrong


def _port(text: str) -> tuple[str, int]:
    protocol, _, number = text.rpartition(":")
    if not number.isdigit() or protocol.removesuffix("6") not in {"", "tcp", "udp"}:
        raise stated.refused(ID, f"no port such as tcp:8080: {text!r}")
    return protocol.removesuffix("6") or "tcp", int(number)
