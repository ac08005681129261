"""Engines that map users: whom the kernel takes a container's root for, outside of it.

Sources: user_namespaces(7); Docker's documentation of userns-remap and of the rootless mode.
"""

from __future__ import annotations

from stageproof.live.container import ENGINE_GONE, engine_gone
from stageproof.live.session import Live

KINDS = {"name=userns": "userns-remap", "name=rootless": "rootless"}
"""What engines say of themselves, and what people call it."""
ROOT = 0


def mapping(live: Live) -> str:
    """Name how the engine maps users; empty if it says nothing of it."""
    try:
        said = live.client.info().get("SecurityOptions") or []
    except ENGINE_GONE as error:
        raise engine_gone(error) from error
    names = {str(one).partition(",")[0] for one in said}
    return " and ".join(kind for name, kind in KINDS.items() if name in names)


def outside(uid_map: str, user: int = ROOT) -> int | None:
    """Read a uid_map: who this user is outside; None for nobody."""
    for line in uid_map.splitlines():
        first, mapped, count = map(int, line.split())
        if first <= user < first + count:
            return mapped + user - first
    return None
