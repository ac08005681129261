"""testinfra against containers that have nothing in them but the app.

Importing this tells testinfra, if it is installed, of `stageproof://CONTAINER` and `stageproof-image://IMAGE`.
"""

from __future__ import annotations

from contextlib import suppress

BACKENDS = {
    "stageproof": "stageproof.testinfra.backend.ContainerBackend",
    "stageproof-image": "stageproof.testinfra.backend.ImageBackend",
}
"""By the scheme of a host's address; testinfra imports them when it meets one."""


def register() -> None:
    """Tell testinfra of them, if it is installed."""
    with suppress(ImportError):
        from testinfra.backend import BACKENDS as KNOWN  # noqa: PLC0415 -- testinfra is optional

        KNOWN.update(BACKENDS)


register()
