"""What the terminal shows while images are built: one line a stack that lives, or plain lines where nobody watches."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from stageproof.engine.progress import Step
from stageproof.model import Recipe
from stageproof.tasks.job import is_terminal, say

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_MARKS = {"running": "…", "done": "✔", "cached": "✔", "error": "✘", "canceled": "·"}


class Screen:
    """Shows steps as they come."""

    def __init__(self, recipes: Sequence[Recipe]) -> None:
        """Begin with nothing built."""
        self._steps: dict[str, Step] = {}
        self._recipes = recipes
        self._live = _live() if is_terminal() else None

    def __enter__(self) -> Self:
        """Take the terminal."""
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back."""
        if self._live:
            self._live.stop()

    def line(self, text: str) -> None:
        """Show a line that stays."""
        if self._live:
            self._live.console.print(text, highlight=False, markup=False)
        else:
            say(text)

    def step(self, step: Step) -> None:
        """Show how far a target has come."""
        if not step.place or step.place.startswith(("internal", "context")):
            return
        before = self._steps.get(step.target)
        self._steps[step.target] = step
        if self._live:
            self._live.update(self._table())
        elif step.state == "done" and step.seconds >= 1 and (before is not step or step.output is not None):
            say(f"  {step.target:<22} {step.title[:80]}  {step.seconds:.1f} s")

    def _table(self) -> Table:
        from rich.table import Table  # noqa: PLC0415 -- the same

        table = Table.grid(padding=(0, 2))
        for recipe in self._recipes:
            step = self._steps.get(recipe.name)
            table.add_row(recipe.name, f"{_MARKS[step.state]} {step.title[:90]}" if step else "·")
        return table


def _live() -> Live:
    from rich.console import Console  # noqa: PLC0415 -- it is slow to import, and only a terminal needs it
    from rich.live import Live  # noqa: PLC0415 -- the same

    return Live(console=Console(), refresh_per_second=8, transient=True)
