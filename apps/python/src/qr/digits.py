"""Whole numbers as people write them: ASCII digits and nothing else."""

from __future__ import annotations

LONGEST = 9


def whole_number(text: str, low: int, high: int) -> int | None:
    """Read a number from low to high; None for anything else (signs, spaces, other scripts' digits)."""
    significant = text.lstrip("0")
    if not (text.isascii() and text.isdigit()) or len(significant) > LONGEST:
        return None
    number = int(significant or "0")
    return number if low <= number <= high else None
