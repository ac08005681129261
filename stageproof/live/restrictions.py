"""What a container must be able to live without, one by one and all together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stageproof.live.options import Options
from stageproof.model import Limits

MEGABYTE = 1_000_000
READ_ONLY = "a read-only root"
BESIDE = "container:"
"""How the network of another container is named."""
ANY_USER = "1234567:0"
"""A user that no image knows, in the group 0: how OpenShift starts everything."""
ANYBODY = "54321:54321"
"""A user and a group that no image knows, as a Kubernetes security context may say."""
TMPFS = {"/tmp": "rw,noexec,nosuid,nodev,size=16m"}  # noqa: S108 -- the container's own
ZONE = "Asia/Kolkata"
"""Five and a half hours from UTC: no hour of it can be taken for another."""
FOREIGN = "grün-€-日本-𝄞"
"""Text of two, three and four bytes a character in UTF-8."""
ECHOED = "APP_VERSION"
"""The variable whose value the service contract wants to be told again."""
IPV6_OFF = {"net.ipv6.conf.all.disable_ipv6": "1", "net.ipv6.conf.lo.disable_ipv6": "1"}
DEFAULT_LIMITS = Limits(memory=512 * MEGABYTE, pids=256, start_seconds=60)
"""For an image of which nothing is known."""


def restrictions(limits: Limits, user: str = ANY_USER) -> Mapping[str, Mapping[str, Any]]:
    """Give each restriction by the name that people know, as the fields of `Options` that make it."""
    return {
        READ_ONLY: {"read_only": True, "tmpfs": TMPFS},
        "no capabilities": {"drop_capabilities": True},
        "no new privileges": {"no_new_privileges": True},
        f"the user {user}": {"user": user},
        f"{limits.memory / MEGABYTE:g} MB of memory": {"memory": limits.memory},
        f"{limits.pids} processes and threads": {"pids": limits.pids},
        "no network": {"network": "none"},
    }


def restricted(limits: Limits, user: str = ANY_USER) -> Options:
    """Give all of them at once."""
    fields: dict[str, Any] = {}
    for one in restrictions(limits, user).values():
        fields |= one
    return Options(**fields)


def hardened(options: Options, limits: Limits) -> Options:
    """Take away from a start whatever an image of unknown origin must not have; only its user stays its own."""
    return replace(
        options,
        network=options.network if options.network.startswith(BESIDE) else "none",
        read_only=True,
        # Who asked for a read-only root has said what may be written all the same, if anything.
        tmpfs=options.tmpfs if options.read_only else {**TMPFS, **options.tmpfs},
        drop_capabilities=True,
        no_new_privileges=True,
        memory=min(options.memory or limits.memory, limits.memory),
        pids=min(options.pids or limits.pids, limits.pids),
    )


def abroad() -> Options:
    """Start it as the image says, but in another time zone, with another alphabet, and without IPv6."""
    return Options(env={"TZ": ZONE, ECHOED: FOREIGN}, sysctls=IPV6_OFF)
