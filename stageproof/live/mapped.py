"""Engines that map users: whom the kernel takes a container's root for, outside of it.

Sources: user_namespaces(7); Docker's documentation of userns-remap and of the rootless mode.
"""

from __future__ import annotations

import docker

from stageproof.live.container import ENGINE_GONE, engine_gone
from stageproof.live.restrictions import ANY_USER

KINDS = {"name=userns": "userns-remap", "name=rootless": "rootless"}
"""What engines say of themselves, and what people call it."""
ROOT = 0
ANY_MAPPED_USER = "54321:0"
"""A user that no image knows either: an engine that maps users has 65536 of them, unless somebody gave it more."""


def mapping(client: docker.DockerClient) -> str:
    """Name how the engine maps users; empty if it says nothing of it."""
    try:
        said = client.info().get("SecurityOptions") or []
    except ENGINE_GONE as error:
        raise engine_gone(error) from error
    names = {str(one).partition(",")[0] for one in said}
    return " and ".join(kind for name, kind in KINDS.items() if name in names)


def any_user(client: docker.DockerClient) -> str:
    """Give a user that no image knows, and that this engine can start a container as, in the group 0."""
    return ANY_MAPPED_USER if mapping(client) else ANY_USER


def outside(uid_map: str, user: int = ROOT) -> int | None:
    """Read a uid_map: who this user is outside; None for nobody."""
    for line in uid_map.splitlines():
        first, mapped, count = map(int, line.split())
        if first <= user < first + count:
            return mapped + user - first
    return None
