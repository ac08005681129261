"""`size-budget`: the image is not larger than its budget, on disk and to pull."""

from __future__ import annotations

from stageproof.checks.subject import Subject, evidence_in, failed, not_applicable, passed
from stageproof.model import Budget, Finding

CLAIM = "keeps its size budget, on disk and to pull"
BROKEN = "is larger than its budget"
WHY = "every megabyte is stored, sent and scanned again for each release and each machine"
DO = "look at the largest layers; raise the budget in stack.toml only with a reason"
MB = 1_000_000
SHOWN = 5


def check(subject: Subject, disk: float = 0, pull: float = 0) -> Finding:
    """Decide the claim by the stack's budget for this variant, or by `disk` and `pull` in MB (10^6 bytes)."""
    budget = _budget(subject, disk, pull)
    if budget is None:
        return not_applicable("size-budget", "has no size budget")
    image = subject.image
    on_disk = f"{image.disk / MB:.1f} MB on disk of {budget.disk / MB:.1f}"
    sizes = f"{on_disk}, {image.pull / MB:.1f} MB to pull of {budget.pull / MB:.1f}"
    if image.disk <= budget.disk and image.pull <= budget.pull:
        return passed("size-budget", sizes)
    largest = sorted(image.layers, key=lambda layer: layer.disk, reverse=True)[:SHOWN]
    seen = [evidence_in(subject, layer, f"{layer.pull / MB:.1f} MB to pull", size=layer.disk) for layer in largest]
    return failed("size-budget", f"{BROKEN}: {sizes}", seen, DO)


def _budget(subject: Subject, disk: float, pull: float) -> Budget | None:
    if disk and pull:
        return Budget(round(disk * MB), round(pull * MB))
    if subject.stack is None or subject.variant is None:
        return None
    return subject.stack.budgets.get(subject.variant.name)
