"""stageproof debug: open a shell with tools in a running container, which needs none of its own."""

from __future__ import annotations

import os

import click

from stageproof import debug as session
from stageproof import helper
from stageproof.engine import find, images


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("container")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def debug(container: str, command: tuple[str, ...]) -> None:
    """Open a shell with tools in a running container; it needs none of its own, and stays as it is.

    CONTAINER is a name or an id. With COMMAND that is run instead. The exit code is the command's.
    """
    chosen = os.environ.get("STAGEPROOF_HELPER_IMAGE")
    client = images.reach()
    try:
        code = session.debug(client, container, command, lambda run: chosen or helper.ensure(client, find.ensure, run))
    finally:
        client.close()
    raise SystemExit(code)
