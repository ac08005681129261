"""What a container must be able to live without, one by one and all together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stageproof.live.options import Options
from stageproof.model import Limits

MEGABYTE = 1_000_000
ANY_USER = "1234567:0"
"""A user that no image knows, in the group 0: how OpenShift starts everything."""
TMPFS = {"/tmp": "rw,noexec,nosuid,nodev,size=16m"}  # noqa: S108 -- the container's own
DEFAULT_LIMITS = Limits(memory=512 * MEGABYTE, pids=256, start_seconds=20)
"""For an image of which nothing is known."""


def restrictions(limits: Limits) -> Mapping[str, Mapping[str, Any]]:
    """Give each restriction by the name that people know, as the fields of `Options` that make it."""
    return {
        "a read-only root": {"read_only": True, "tmpfs": TMPFS},
        "no capabilities": {"drop_capabilities": True},
        "no new privileges": {"no_new_privileges": True},
        f"the user {ANY_USER}": {"user": ANY_USER},
        f"{limits.memory / MEGABYTE:g} MB of memory": {"memory": limits.memory},
        f"{limits.pids} processes and threads": {"pids": limits.pids},
        "no network": {"network": "none"},
    }


def restricted(limits: Limits) -> Options:
    """Give all of them at once."""
    fields: dict[str, Any] = {}
    for one in restrictions(limits).values():
        fields |= one
    return Options(**fields)
