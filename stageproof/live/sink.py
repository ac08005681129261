"""A network that leads nowhere, for a container of which is to be known whom it looks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import docker

from stageproof.live.container import start_with
from stageproof.live.helper import Helper
from stageproof.live.helper.beside import ALWAYS, start_beside
from stageproof.live.restrictions import BESIDE
from stageproof.live.run import Run


@contextmanager
def sink(client: docker.DockerClient, helper_image: str, run: Run) -> Iterator[tuple[str, Helper]]:
    """Give such a network, as the value of `Options.network`, and the helper that watches it.

    A container of its own holds the network, so that it is there before the one that is watched. Raises HelperError
    where no helper may set up a network.
    """
    with start_with(client, helper_image, run, {**ALWAYS, "network_mode": "none", "cap_drop": ["ALL"]}) as holder:
        network = BESIDE + holder.id
        rights = {"cap_drop": ["ALL"], "cap_add": ["NET_ADMIN", "NET_RAW"]}
        arguments = {**ALWAYS, **rights, "network_mode": network}
        with start_beside(holder, helper_image, run, arguments, lambda helper: helper.ask({"op": "sink"})) as helper:
            yield network, helper
