"""Which updates Debian has published for packages: asked of the host's own apt, with folders of ours.

`lists.of_today` has a suite's package lists, fetched once a day; `policy.ask` has apt compare versions with them.
"""

from __future__ import annotations

from stageproof.updates.apt import Unavailable
from stageproof.updates.lists import Lists, of_today
from stageproof.updates.policy import Answer, ask

__all__ = ["Answer", "Lists", "Unavailable", "ask", "of_today"]
