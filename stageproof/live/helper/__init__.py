"""The helper container: looks and asks from inside the target's namespaces, and needs nothing of the target itself."""

from __future__ import annotations

from stageproof.live.helper.client import Helper
from stageproof.live.helper.request import DEFAULT_PORT, Request

__all__ = ["DEFAULT_PORT", "Helper", "Request"]
