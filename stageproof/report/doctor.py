"""What doctor saw, for people."""

from __future__ import annotations

from collections.abc import Sequence

from stageproof.engine.doctor import Line


def lines(seen: Sequence[Line]) -> list[str]:
    """Set it in columns; the last line is the answer."""
    *facts, answer = seen
    wide = max(len(one.name) for one in facts) + 2
    text = [f"{one.mark} {one.name:<{wide}}{one.found}{_after(one)}".rstrip() for one in facts]
    return [*text, f"  {answer.name}: {answer.do}" + (f"      ({answer.found})" if answer.found else "")]


def _after(line: Line) -> str:
    return f"      {line.do}" if line.do else ""
