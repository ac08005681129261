"""The `stageproof` command: the tool for anybody's images. Arguments and printing, nothing else.

A command is a module of this package: `import_cst.py` holds the function `import_cst`, for `stageproof import-cst`. A
module is imported when its command is run, so that the others cost no time; what `--help` says of each is the first
line of its file.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import cast

import click

from stageproof import __version__
from stageproof.errors import Error, UsageError
from stageproof.interruption import sigterm_as_interrupt
from stageproof.names import nearest

_NOBODY_READS = 141
"""What a shell gives for a program that SIGPIPE ended."""
_FOLDER = Path(__file__).resolve().parent


class _Commands(click.Group):
    """The group whose commands are the files beside this one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's interface
        """Name every command."""
        return sorted(_files())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's interface
        """Import a command; None if there is none of that name."""
        path = _files().get(cmd_name)
        if path is None:
            return None
        return cast("click.Command", getattr(importlib.import_module(f"{__name__}.{path.stem}"), path.stem))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of the arguments. Raises UsageError, with the nearest, if there is none."""
        if args and not args[0].startswith("-") and args[0] not in _files():
            known = self.list_commands(ctx)
            failed = f"there is no command {args[0]!r}"
            raise UsageError(failed, seen=f"known: {', '.join(known)}", do=nearest(args[0], known))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; where nobody reads its output, end without an answer."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # click would end it with the code that says "a claim does not hold". Nothing more is to be written.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(_NOBODY_READS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's interface
        """Write what each command does, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose(name)) for name in sorted(_files())])


def _files() -> dict[str, Path]:
    return {path.stem.replace("_", "-"): path for path in _FOLDER.glob("*.py") if not path.stem.startswith("_")}


def purpose(command: str) -> str:
    """Say what a command does: the first line of its file."""
    with _files()[command].open(encoding="utf-8") as file:
        return file.readline().strip().strip('"').partition(": ")[2]


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stageproof")
def stageproof() -> None:
    """Prove what container images claim."""


def main() -> None:
    """Run the command; an error of ours is printed in its four parts, with its own exit code. SIGTERM is Ctrl-C."""
    try:
        with sigterm_as_interrupt():
            stageproof.main(standalone_mode=False)
    except Error as error:
        sys.exit(_told(error))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.UsageError as error:
        context = error.ctx.command_path if error.ctx else "stageproof"
        sys.exit(_told(UsageError(error.format_message(), do=f"{context} --help")))
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("\nstopped\n")
        sys.exit(130)


def _told(error: Error) -> int:
    first, _, rest = str(error).partition("\n")
    line = f"✘ {first}"
    sys.stderr.write(f"{line:<86} exit {error.exit_code}\n" + (f"{rest}\n" if rest else ""))
    return error.exit_code
