"""Stack x variant at a glance: how many claims hold, do not hold, are unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from stageproof.model import Recipe

_MARKS = {"pass": "✔", "fail": "✘", "unknown": "?", "not-applicable": "-", "reported": "r"}
_WIDTH = 20


def table(recipes: Sequence[Recipe], verdicts: Mapping[str, Mapping[str, int]]) -> str:
    """Make the table: by recipe, how often each verdict was given; `reported` ones are shown, and fail nothing."""
    counts = {recipe.name: Counter(verdicts.get(recipe.name, {})) for recipe in recipes}
    ordered = sorted({recipe.variant.name: recipe.variant for recipe in recipes}.values(), key=lambda each: each.order)
    variants = [variant.name for variant in ordered]
    stacks = list(dict.fromkeys(recipe.stack.name for recipe in recipes))
    lines = ["", " " * 10 + "".join(f"{name:<{_WIDTH}}" for name in variants)]
    for stack in stacks:
        cells = [_cell(counts.get(f"{stack}-{variant}", Counter())) for variant in variants]
        lines.append(f"  {stack:<8}" + "".join(f"{cell:<{_WIDTH}}" for cell in cells))
    total = sum(counts.values(), Counter[str]())
    proved = sum(1 for each in counts.values() if each and not each["fail"] and not each["unknown"])
    lines += [
        "",
        (
            f"  {total['pass']} claims hold, {total['fail']} do not, {total['unknown']} are unknown, "
            f"{total['reported']} are only reported."
        ),
    ]
    return "\n".join([*lines, f"  {proved} of {len(recipes)} images proved."])


def _cell(count: Counter[str]) -> str:
    return " ".join(f"{count[verdict]} {mark}" for verdict, mark in _MARKS.items() if count[verdict]) or "·"
