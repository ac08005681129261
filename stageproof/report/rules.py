"""What is known of a claim whatever the image: its sentence, the reason for it, and its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stageproof import checks, ignores

_PACKAGE = Path(__file__).resolve().parent.parent
FOLDERS = (_PACKAGE / "pages", _PACKAGE.parent / "docs" / "checks")
"""Where the pages are: in an installed package, and in a checkout."""


@dataclass(frozen=True)
class Rule:
    """A claim in words."""

    id: str
    holds: str
    """How the sentence goes on when the claim holds: "contains no shell"."""
    why: str
    page: str
    """Markdown; empty where there is none."""


_OWN: Mapping[str, tuple[str, str]] = {
    ignores.UNUSED: ("has no ignore entry that ignores nothing", "what nobody needs any more hides what comes next"),
    ignores.EXPIRED: (
        "has no ignore entry whose time is over",
        "what was accepted for a while is not accepted for ever",
    ),
}
"""Findings about the list of what is ignored: no check of an image makes them."""


def rule(claim: str) -> Rule:
    """Give what is known of a claim. Raises CatalogError if there is no such claim."""
    if claim in _OWN:
        return Rule(claim, *_OWN[claim], page="")
    check = checks.load(claim)
    return Rule(claim, check.CLAIM, check.WHY, page(claim))


def page(claim: str) -> str:
    """Give the page of a claim; empty where there is none."""
    for folder in FOLDERS:
        path = folder / f"{claim}.md"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return ""
