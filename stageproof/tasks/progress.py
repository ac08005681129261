"""What the terminal shows while images are built: a picture that lives, or plain lines where nobody watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from stageproof.engine.progress import Step
from stageproof.model import Recipe
from stageproof.tasks.job import is_terminal, say

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_MOST_STEPS = 8
"""How many running steps are shown: more would push the table off a small terminal."""
_EXPORT = "exporting to"


class Screen:
    """Shows which images are there, and which steps run."""

    def __init__(self, recipes: Sequence[Recipe]) -> None:
        """Begin with nothing built."""
        self._recipes = recipes
        self._begun = time.monotonic()
        self._running: dict[int, tuple[Step, float]] = {}
        self._built: dict[str, float] = {}
        self._failed: set[str] = set()
        self._live = _live(self._picture) if is_terminal() else None

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
        """Show how far a step has come."""
        if step.text.startswith(_EXPORT) and step.state == "done":
            self._built[step.target] = time.monotonic() - self._begun
        if step.state == "error":
            self._failed.add(step.target)
        if not step.place or step.place.startswith(("internal", "context")):
            return
        if step.state == "running":
            self._running.setdefault(id(step), (step, time.monotonic()))
        elif self._running.pop(id(step), None) and not self._live and step.seconds >= 1:
            say(f"  {step.target:<22} {step.short[:80]}  {step.seconds:.1f} s")

    def _picture(self) -> Table:
        from rich.table import Table  # noqa: PLC0415 -- the same

        now = time.monotonic()
        steps = [
            (step.target, step.place.rpartition(" ")[2], step.short, f"{now - since:.0f} s")
            for step, since in list(self._running.values())[-_MOST_STEPS:]
        ]
        whole = Table.grid()
        whole.add_row(_grid([[f"  {stack}", *cells] for stack, cells in self._cells().items()]))
        whole.add_row(_grid([[f"    {row[0]}", *row[1:]] for row in steps]))
        return whole

    def _cells(self) -> dict[str, list[str]]:
        rows: dict[str, list[str]] = {}
        for recipe in self._recipes:
            seconds = self._built.get(recipe.name)
            mark = "✘" if recipe.name in self._failed else "·" if seconds is None else f"✔ {seconds:.0f} s"
            rows.setdefault(recipe.stack.name, []).append(f"{recipe.variant.name} {mark}")
        return rows


def _grid(rows: Sequence[Sequence[str]]) -> Table:
    from rich.table import Table  # noqa: PLC0415 -- the same
    from rich.text import Text  # noqa: PLC0415 -- the same

    table = Table.grid(padding=(0, 2))
    for row in rows:
        # As text, not as markup: a step may hold square brackets.
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in row))
    return table


def _live(picture: Callable[[], Table]) -> Live:
    from rich.console import Console  # noqa: PLC0415 -- it is slow to import, and only a terminal needs it
    from rich.live import Live  # noqa: PLC0415 -- the same

    return Live(get_renderable=picture, console=Console(), refresh_per_second=4, transient=True)
