"""ipv6: the image serves over IPv6, and also where there is none."""

from __future__ import annotations

from dataclasses import replace

from stageproof.checks.running import abroad, answered, ended, live_of, restricted
from stageproof.checks.subject import Subject, failed, not_applicable, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options
from stageproof.live.restrictions import IPV6_OFF
from stageproof.model import Evidence, Finding

ID = "ipv6"
CLAIM = "serves over IPv6, and where IPv6 is off"
BROKEN = "does not serve both over IPv6 and where IPv6 is off"
WHY = "Clusters have IPv4, IPv6 or both; a server that listens on one kind only is unreachable in some of them."

LOOPBACK = "::1"
DO = "listen on [::] for both kinds, and on 0.0.0.0 where that cannot be"


def check(subject: Subject, path: str = "/") -> Finding:
    """Ask over the IPv6 loopback, and then over IPv4 in a container where IPv6 is switched off."""
    live = live_of(subject)
    try:
        with restricted(live, Options(), path) as (running, request):
            if not running.helper.read("/proc/1/net/if_inet6"):
                return not_applicable(ID, "the engine's kernel gives containers no IPv6")
            over = running.answer(replace(request, address=LOOPBACK), answered)
            sockets = [str(one) for one in running.helper.sockets() if one.port == request.port]
        with abroad(live, Options(sysctls=IPV6_OFF), path) as (running, request):
            left = running.helper.read("/proc/1/net/if_inet6")
            without = running.ask(request)
    except ContainerError as error:
        return ended(ID, error, DO)
    if left:
        return unknown(ID, "the engine did not switch IPv6 off", [Evidence(left)])
    seen = [
        Evidence(f"GET {path} on [{LOOPBACK}]: {over}; it listens on {', '.join(sockets)}"),
        Evidence(f"GET {path} where IPv6 is off: {without}"),
    ]
    if not answered(over):
        return failed(ID, "does not serve over IPv6", seen, DO)
    if not answered(without):
        return failed(ID, "does not serve where IPv6 is off", seen, DO)
    return passed(ID, CLAIM, seen)
