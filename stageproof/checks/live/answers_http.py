"""answers-http: every port that it serves gives HTTP answers."""

from __future__ import annotations

from collections.abc import Sequence

from stageproof.checks.running import ended, live_of, tcp_ports
from stageproof.checks.subject import Subject, failed, passed
from stageproof.errors import ContainerError
from stageproof.live import Answer, Request
from stageproof.model import Evidence, Finding

ID = "answers-http"
CLAIM = "answers HTTP on every port that it serves"
BROKEN = "does not answer HTTP on every port that it serves"
WHY = "An image that was built is not yet an image that works."

SERVER_ERROR = 500


def check(subject: Subject, paths: Sequence[str] = ("/", "/healthz")) -> Finding:
    """Ask each path on each port, until there is an answer below 500 or the start has taken too long."""
    live = live_of(subject)
    if not tcp_ports(live):
        return failed(ID, "exposes no TCP port, so there is nothing to ask", do="add EXPOSE with its port")
    ports = live.ports
    try:
        running = live.serving()
        answers = {
            (port, path): running.answer(Request(path, port=port), _answered) for port in ports for path in paths
        }
    except ContainerError as error:
        return ended(ID, error)
    evidence = [Evidence(f"GET {path} on port {port}: {answer}") for (port, path), answer in answers.items()]
    if all(_answered(answer) for answer in answers.values()):
        return passed(ID, CLAIM, evidence)
    return failed(ID, BROKEN, evidence, do="see what it logs at its start, and which port it listens on (ports-match)")


def _answered(answer: Answer) -> bool:
    return 0 < answer.status < SERVER_ERROR
