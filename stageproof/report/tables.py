"""Tables of images, as plain text for a terminal and as Markdown for the README."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from stageproof.engine.record import Build
from stageproof.model import Recipe

_MEGABYTE = 1_000_000


def megabytes(size: int) -> str:
    """Write bytes as megabytes (10^6), one digit below ten."""
    return f"{size / _MEGABYTE:.1f}" if size < 10 * _MEGABYTE else f"{size / _MEGABYTE:.0f}"


def duration(seconds: float) -> str:
    """Write seconds as people say them: `41.2 s`, `3 min 12 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def builds(recipes: Sequence[Recipe], images: Mapping[str, Build]) -> str:
    """Show what was built, a line each: image, digest, sizes, seconds, cached or not, how many stand-ins."""
    lines = [f"\n  {'image':<22}{'digest':<16}{'disk MB':>9}{'pull MB':>9}{'after s':>9}  built on"]
    for recipe in recipes:
        image = images.get(recipe.name)
        if image is None:
            lines.append(f"  {recipe.name:<22}{'not built':<16}")
            continue
        seconds = "cached" if image.cached else f"{image.seconds:.1f}"
        digest = image.digest.removeprefix("sha256:")[:12]
        row = f"  {recipe.name:<22}{digest:<16}{megabytes(image.disk):>9}{megabytes(image.pull):>9}{seconds:>9}"
        lines.append(f"{row}  {'stand-ins' if image.stand_ins else 'real bases'}")
    return "\n".join([*lines, ""])


def stand_in_sentence(references: Collection[str]) -> str:
    """Say that stand-ins were used, wherever they were."""
    if not references:
        return ""
    return f"Built on {len(references)} stand-ins: sizes and patch versions differ from the real bases."


def markdown(recipes: Sequence[Recipe], images: Mapping[str, Build]) -> str:
    """Make the README's table: stack × variant, size on disk and to pull."""
    variants = sorted({recipe.variant.name: recipe.variant for recipe in recipes}.values(), key=lambda each: each.order)
    stacks = {recipe.stack.name: recipe.stack for recipe in recipes}
    sized = {name: f"{megabytes(image.disk)} / {megabytes(image.pull)}" for name, image in images.items()}
    lines = [
        "| stack | app | " + " | ".join(variant.name for variant in variants) + " |",
        "| --- | --- |" + " --- |" * len(variants),
    ]
    for stack in stacks.values():
        cells = [sized.get(f"{stack.name}-{variant.name}", "not built") for variant in variants]
        lines.append(f"| {stack.language} | {stack.description} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
