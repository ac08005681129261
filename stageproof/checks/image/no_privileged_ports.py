"""`no-privileged-ports`: the image exposes no port below 1024."""

from __future__ import annotations

from stageproof.checks.subject import Subject, evidence_at, failed, passed
from stageproof.model import Finding

CLAIM = "exposes no port below 1024"
BROKEN = "exposes ports below 1024"
WHY = "outside of Docker's own default such a port asks for root or a capability (CIS Docker Benchmark 5.8)"
DO = "listen on 8080 or the like; who runs the image maps it to any port"
FIRST = 1024
"""net.ipv4.ip_unprivileged_port_start, as Linux sets it: ip-sysctl."""
MOST_DIGITS = 5


def check(subject: Subject) -> Finding:
    """Decide the claim by EXPOSE; a port that is no number fails too."""
    exposed = subject.image.config.exposed
    low = [port for port in exposed if not _is_high(port)]
    if low:
        seen = [evidence_at(subject, f"EXPOSE {port}", "EXPOSE") for port in low]
        return failed("no-privileged-ports", BROKEN, seen, DO)
    return passed("no-privileged-ports", f"exposes {', '.join(exposed)}" if exposed else "exposes no port")


def _is_high(port: str) -> bool:
    number = port.partition("/")[0]
    return len(number) <= MOST_DIGITS and number.isascii() and number.isdigit() and int(number) >= FIRST
