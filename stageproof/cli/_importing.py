"""What both import commands do alike: write the contract, and list what was not carried over."""

from __future__ import annotations

from pathlib import Path

import click

from stageproof import contract
from stageproof.importing.carried import Carried
from stageproof.report import output
from stageproof.report.escape import plain


def tell(carried: Carried, source: Path, target: str | None) -> None:
    """Write the contract to the standard output or a file, and what was left out to the standard error."""
    made = carried.contract(f"Carried over from {plain(source.name)}")
    left = [plain(line) for line in carried.left]
    comments = ["Not carried over:", *(f"  {line}" for line in left)] if left else []
    text = contract.text(made, comments)
    if target:
        output.write(Path(target), text)
    else:
        click.echo(text, nl=False)
    click.echo(f"  {len(made.claims)} claims: {', '.join(claim.id for claim in made.claims)}", err=True)
    for line in left:
        click.echo(f"  not carried over: {line}", err=True)
