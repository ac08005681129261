"""stageproof import-goss: turn a file of goss into a contract."""

from __future__ import annotations

from pathlib import Path

import click

from stageproof.cli._importing import tell
from stageproof.importing import goss


@click.command("import-goss")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--output", "target", metavar="FILE", help="Where to write it; default: the standard output.")
def import_goss(file: Path, target: str | None) -> None:
    """Turn a FILE of goss into a contract.

    What no claim can state is listed on the standard error, and as comments in the contract. Nothing is dropped.
    """
    tell(goss.carry(file), file, target)
