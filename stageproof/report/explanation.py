"""A claim explained: its page, and the parameters that its check takes."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from stageproof import checks, verify
from stageproof.report import rules


def text(claim: str) -> str:
    """Give the page of a claim, with its parameters and their defaults. Raises CatalogError if there is none."""
    rule = rules.rule(claim)
    page = rule.page.rstrip("\n") or f"# {claim}\n\nThe image {rule.holds}.\n\n**Why.** {rule.why}"
    needs = "a running container (--run)" if verify.needs_container(claim) else "the image alone"
    lines = [page, "", f"**Needs.** {needs}.", "", f"**In a contract.** `{claim} = {{{_example(claim)}}}`"]
    if parameters := _parameters(claim):
        lines += ["", "**Parameters.**", "", *(f"- {each}" for each in parameters)]
    return "\n".join(lines) + "\n"


def listed(only: Sequence[str] | None = None) -> str:
    """List claims, a line each: the id, what it says, and whether it needs a running container."""
    ids = list(checks.names()) if only is None else list(only)
    wide = max(map(len, ids)) + 2
    lines = [
        f"{claim:<{wide}}{rules.rule(claim).holds}{'   (--run)' if verify.needs_container(claim) else ''}"
        for claim in ids
    ]
    return "\n".join(lines) + "\n"


def _signature(claim: str) -> list[inspect.Parameter]:
    return list(inspect.signature(checks.load(claim).check).parameters.values())[1:]


def _parameters(claim: str) -> list[str]:
    return [f"`{each.name}`: {each.annotation}, by default {each.default!r}" for each in _signature(claim)]


def _example(claim: str) -> str:
    names = [each.name for each in _signature(claim)]
    return f" {names[0]} = ... " if names else ""
