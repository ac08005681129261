"""How many claims hold, do not, are unknown: the sentence at the end, and the exit code that follows."""

from __future__ import annotations

from collections.abc import Sequence

from stageproof.verify import Standing, Verified

ALL_HOLD, SOME_BROKEN, SOME_UNKNOWN = 0, 1, 3
"""The exit codes of an answer."""


def exit_code(images: Sequence[Verified]) -> int:
    """Give 1 if a claim does not hold, else 3 if one is unknown, else 0."""
    if any(image.count(Standing.BROKEN) for image in images):
        return SOME_BROKEN
    return SOME_UNKNOWN if any(image.count(Standing.UNKNOWN) for image in images) else ALL_HOLD


def summary(images: Sequence[Verified]) -> str:
    """Count: `27 hold, 2 do not, 11 need --run.`."""
    total = {standing: sum(image.count(standing) for image in images) for standing in Standing}
    waiting = sum(len(image.not_run) for image in images)
    words = [f"{total[Standing.HOLDS]} {_plural(total[Standing.HOLDS], 'holds', 'hold')}"]
    words += _if_any(total[Standing.BROKEN], "does not", "do not")
    words += _if_any(total[Standing.UNKNOWN], "is unknown", "are unknown")
    words += _if_any(total[Standing.REPORTED], "is only reported", "are only reported")
    words += _if_any(total[Standing.IGNORED], "is ignored", "are ignored")
    words += _if_any(total[Standing.NOT_APPLICABLE], "does not apply", "do not apply")
    words += _if_any(waiting, "needs --run", "need --run")
    return f"{', '.join(words)}."


def _if_any(count: int, one: str, many: str) -> list[str]:
    return [f"{count} {_plural(count, one, many)}"] if count else []


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many
