"""What every check of a running container needs: the session, and last words as a finding."""

from __future__ import annotations

from stageproof.checks.subject import Subject, failed
from stageproof.errors import ContainerError, HelperError
from stageproof.live import Live
from stageproof.model import Evidence, Finding


def live_of(subject: Subject) -> Live:
    """Give what starts containers of the image; without it the claim stays unknown."""
    if subject.live is None:
        message = "nothing may be started here"
        raise HelperError(message, why="this claim is about a running container", do="give an engine with the image")
    return subject.live


def ended(claim: str, error: ContainerError, do: str = "") -> Finding:
    """Say that the container did not get as far as the question, with its last words."""
    return failed(claim, error.failed, [Evidence(line) for line in error.seen.splitlines()], do)


def tcp_ports(live: Live) -> list[int]:
    """Give the TCP ports that the image exposes."""
    return [port for protocol, port in live.exposed if protocol == "tcp"]
