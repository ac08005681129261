"""stageproof doctor: say what is here, what is missing, and what to type."""

from __future__ import annotations

import click

from stageproof.engine.doctor import examine
from stageproof.report.doctor import lines


@click.command()
def doctor() -> None:
    """Say what is here, what is missing, and what to type."""
    seen = examine()
    click.echo("\n".join(lines(seen)))
    if seen[-1].exit_code:
        raise SystemExit(seen[-1].exit_code)
