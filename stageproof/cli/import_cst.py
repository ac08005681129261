"""stageproof import-cst: turn a file of container-structure-test into a contract."""

from __future__ import annotations

from pathlib import Path

import click

from stageproof.cli._importing import tell
from stageproof.importing import cst


@click.command("import-cst")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--output", "target", metavar="FILE", help="Where to write it; default: the standard output.")
def import_cst(file: Path, target: str | None) -> None:
    """Turn a FILE of container-structure-test into a contract.

    What no claim can state is listed on the standard error, and as comments in the contract. Nothing is dropped.
    """
    tell(cst.carry(file), file, target)
