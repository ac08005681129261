"""stageproof claims: list every claim that can be made."""

from __future__ import annotations

import click

from stageproof import contract as contracts
from stageproof.report import explanation


@click.command()
@click.option("--contract", metavar="NAME|FILE", help="Only those of a contract.")
def claims(contract: str | None) -> None:
    """List every claim that can be made, with what it says; those that need --run are marked."""
    only = [claim.id for claim in contracts.find(contract).claims] if contract else None
    click.echo(explanation.listed(only), nl=False)
