"""`python -m qr` serves, `python -m qr healthcheck` asks a running service how it is."""

from __future__ import annotations

import os
import sys

# What the module signal wraps; that one imports enum and more, and until there is a handler a signal is lost.
from _signal import SIGINT, SIGTERM, signal  # type: ignore[import-not-found]


def main(arguments: list[str]) -> int:
    """Do what the arguments say and give the exit code."""
    # Imports wait: the signals come first, and the probe must not pay for Flask.
    from qr.config import ConfigError, read  # noqa: PLC0415

    if arguments not in ([], ["healthcheck"]):
        sys.stderr.write("usage: python -m qr [healthcheck]\n")
        return 2
    try:
        config = read(os.environ)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1 if arguments else 2
    if arguments:
        from qr.probe import healthy  # noqa: PLC0415

        return 0 if healthy(config.port) else 1
    from qr.server import serve  # noqa: PLC0415

    return serve(config)


if __name__ == "__main__":
    if sys.argv[1:] == []:
        # The kernel drops a signal that PID 1 has no handler for. Until gunicorn has its own, nothing is in flight.
        for early in (SIGTERM, SIGINT):
            signal(early, lambda *_: os._exit(0))
    sys.exit(main(sys.argv[1:]))
