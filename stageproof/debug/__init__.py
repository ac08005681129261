"""A shell with tools in a running container that has neither; the container stays as it is."""

from __future__ import annotations

from stageproof.debug.session import debug

__all__ = ["debug"]
