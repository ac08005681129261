"""stageproof explain: tell what a claim means, why it is made, and how to fix what breaks it."""

from __future__ import annotations

import click

from stageproof import checks
from stageproof.errors import UsageError
from stageproof.names import nearest
from stageproof.report import explanation


@click.command()
@click.argument("claim")
def explain(claim: str) -> None:
    """Tell what a CLAIM means, why it is made, how it is decided, its parameters, and how to fix what breaks it."""
    known = checks.names()
    if claim not in known:
        failed = f"there is no claim {claim!r}"
        raise UsageError(failed, do=nearest(claim, known) or "stageproof claims lists them")
    click.echo(explanation.text(claim), nl=False)
