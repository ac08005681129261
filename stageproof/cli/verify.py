"""stageproof verify: decide the claims of a contract about images."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from stageproof import checks, dockerfile, inspection, settings
from stageproof.errors import UsageError
from stageproof.order import Order, chosen
from stageproof.report import counting, formats, output
from stageproof.report.formats import terminal
from stageproof.verify import Verified

_COLOURS = {"✔": "green", "✘": "red", "?": "yellow", "r": "bright_black", "i": "bright_black"}


@click.command()
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@click.option("--contract", metavar="NAME|FILE", help="What to hold the images to; default: any-image.")
@click.option("--claims", metavar="A,B", default="", help="Only these claims.")
@click.option(
    "--run/--static", default=False, help="Start the images too, hardened and without a network; or only read."
)
@click.option("--platform", metavar="OS/ARCH", default="", help="Which image of a multi-platform one.")
@click.option(
    "--dockerfile",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the images were built from: findings then name its lines.",
)
@click.option(
    "--format",
    "asked",
    multiple=True,
    metavar="FORMAT[:FILE]",
    help="terminal, json, junit, sarif, markdown, ctrf, github; several with commas, each but one with a file.",
)
@click.option("--output", "target", metavar="FILE", default="", help="Where the format without a file goes.")
@click.option("--verbose", "-v", is_flag=True, help="List what holds too.")
def verify(  # noqa: PLR0913, PLR0917 -- a parameter is an option
    sources: tuple[str, ...],
    contract: str | None,
    claims: str,
    run: bool,
    platform: str,
    file: Path | None,
    asked: tuple[str, ...],
    target: str,
    verbose: bool,
) -> None:
    """Decide the claims of a contract about images.

    A SOURCE is an image of the engine (a name or an id), a docker archive, an OCI layout (a folder or a tar), or - for
    the standard input. Nothing is pulled. Without SOURCE, those of stageproof.toml are taken.

    Exit codes: 0 every claim holds, 1 a claim does not hold, 3 something is unknown, 2 wrong usage; the others stand in
    docs/verify.md.
    """
    own = settings.read(Path.cwd(), checks.names())
    wanted = output.outputs(asked, target)
    order = Order(
        sources=_sources(sources, own.sources),
        contract=chosen(contract or own.contract, [claim for claim in claims.split(",") if claim]),
        run=run,
        platform=platform,
        dockerfile=dockerfile.read(file) if file else None,
        ignores=own.ignores,
    )
    verified = inspection.inspect(order, today=datetime.now(UTC).astimezone().date(), progress=_progress)
    for each in wanted:
        _write(each, verified, verbose=verbose)
    if code := counting.exit_code(verified):
        raise SystemExit(code)


def _sources(given: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
    if given or own:
        return given or own
    failed = "no image was named"
    raise UsageError(failed, do="stageproof verify IMAGE, or sources = [...] in stageproof.toml")


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"  {line}", err=True)


def _write(where: output.Output, verified: list[Verified], *, verbose: bool) -> None:
    if where.format == output.TERMINAL:
        text = terminal.render_for_people(verified, everything=verbose)
    else:
        text = formats.load(where.format).render(verified)
    if where.file:
        output.write(where.file, text)
    else:
        click.echo(_coloured(text) if where.format == output.TERMINAL and _is_watched() else text, nl=False)


def _is_watched() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and "CI" not in os.environ


def _coloured(text: str) -> str:
    """Colour the lines that begin with a mark; no text of an image begins a line."""
    return "".join(
        click.style(line, fg=_COLOURS[line[0]]) if line[0] in _COLOURS else line
        for line in text.splitlines(keepends=True)
    )
