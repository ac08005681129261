"""The `stageproof` command: the tool for anybody's images. Arguments and printing, nothing else."""

from __future__ import annotations

import sys

import click

from stageproof import __version__
from stageproof.cli.doctor import doctor
from stageproof.errors import Error


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stageproof")
def stageproof() -> None:
    """Prove what container images claim."""


stageproof.add_command(doctor)


def main() -> None:
    """Run the command; an error of ours is printed in its four parts, and gives its own exit code."""
    try:
        stageproof.main(standalone_mode=False)
    except Error as error:
        sys.stderr.write(f"✘ {error}\n")
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("\nstopped\n")
        sys.exit(130)
