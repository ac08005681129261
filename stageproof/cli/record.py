"""stageproof record: write a contract that a good image keeps, with what was measured as its limits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from stageproof import contract as contracts
from stageproof import inspection, recording
from stageproof.errors import UsageError
from stageproof.model import Finding, Verdict
from stageproof.order import Order
from stageproof.report import output, sentences
from stageproof.report.escape import plain


@click.command()
@click.argument("source")
@click.option("--contract", metavar="NAME|FILE", help="Only the claims of this contract; default: every claim.")
@click.option("--output", "target", metavar="FILE", help="Where to write it; default: the standard output.")
@click.option(
    "--run/--static", default=False, help="Start the image too, hardened and without a network; or only read."
)
@click.option("--platform", metavar="OS/ARCH", default="", help="Which image of a multi-platform one.")
def record(source: str, contract: str | None, target: str | None, run: bool, platform: str) -> None:
    """Write a contract that the image SOURCE keeps: what holds, with what was measured as its limits.

    What does not hold, is unknown or does not apply stands in it as a comment.
    """
    base = contracts.find(contract) if contract else recording.everything()
    order = Order([source], base, run=run, platform=platform)
    with inspection.opened(order) as found:
        if len(found) != 1:
            failed = f"{source} holds {len(found)} images, and a contract is recorded from one"
            raise UsageError(failed, seen=", ".join(plain(each.name) for each in found))
        title = f"Recorded from {plain(found[0].name)}, {found[0].image.id}"
        with found[0].subject() as subject:
            recorded = recording.record(subject, base, title)
    unasked = () if contract else recording.on_request()
    text = contracts.text(recorded.contract, recording.comments(recorded, _told, unasked))
    if target:
        output.write(Path(target), text)
    else:
        click.echo(text, nl=False)
    click.echo(_summary(recorded), err=True)


def _told(finding: Finding) -> Sequence[str]:
    return [
        f"{finding.claim}: {plain(finding.message)}",
        *(f"  {line}" for line in sentences.lines(finding.evidence, 3)),
    ]


def _summary(recorded: recording.Recorded) -> str:
    broken = [finding.claim for finding in recorded.left_out if finding.verdict is Verdict.FAIL]
    unknown = [finding.claim for finding in recorded.left_out if finding.verdict is Verdict.UNKNOWN]
    words = [f"{len(recorded.contract.claims)} claims recorded"]
    words += [f"{len(broken)} do not hold: {', '.join(broken)}"] if broken else []
    words += [f"{len(unknown)} are unknown: {', '.join(unknown)}"] if unknown else []
    words += [f"{len(recorded.not_run)} need --run"] if recorded.not_run else []
    return f"  {'; '.join(words)}."
