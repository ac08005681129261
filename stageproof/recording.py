"""A contract written down from a good image: what holds goes in, with what was measured; what does not is told."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stageproof import checks, contract, verify
from stageproof.checks.subject import Subject
from stageproof.contract import Contract
from stageproof.image import secrets
from stageproof.model import Claim, Finding, Verdict

MARGIN = 1.1
"""How much larger than it is now an image may become."""
_MEGABYTE = 1_000_000

Parameters = Mapping[str, object]


@dataclass(frozen=True)
class Recorded:
    """A contract that holds for an image, and the findings of the claims that are not in it."""

    contract: Contract
    left_out: tuple[Finding, ...]
    not_run: tuple[str, ...]


def everything() -> Contract:
    """Give a contract of every claim that there is a check of, each with the check's own defaults.

    Not of those that cost more than a look or a start: see `on_request`.
    """
    left = on_request()
    return Contract("everything", "Every claim", tuple(Claim(name) for name in checks.names() if name not in left))


def on_request() -> tuple[str, ...]:
    """Name the claims that are only asked where a contract names them."""
    return tuple(name for name in checks.names() if getattr(checks.load(name), "ON_REQUEST", False))


def record(subject: Subject, base: Contract, title: str) -> Recorded:
    """Decide the claims of a contract about one image, and make a contract of those that hold.

    Where something can be measured, the limit is what was measured with a margin, unless the base states one. Every
    claim was decided with exactly the parameters that are written down.
    """
    kept: list[Claim] = []
    left_out: list[Finding] = []
    asked = [claim for claim in base.claims if subject.live or not verify.needs_container(claim.id)]
    for claim in asked:
        tried = [(each, verify.decide(each, subject)) for each in _candidates(claim, subject)]
        held = next((each for each, finding in tried if finding.verdict is Verdict.PASS), None)
        if held is not None:
            kept.append(held)
        else:
            left_out.append(tried[-1][1])
    made = Contract(base.name, title, tuple(kept))
    return Recorded(made, tuple(left_out), tuple(claim.id for claim in base.claims if claim not in asked))


def _candidates(claim: Claim, subject: Subject) -> Iterator[Claim]:
    """Give the forms to try: measured ones first, and last the one that the base states."""
    own = {name: value for name, value in claim.parameters.items() if name != verify.REPORT}
    measure = _MEASURES.get(claim.id)
    if measure is not None and not own:
        for parameters in measure(subject):
            measured = Claim(claim.id, parameters)
            if _can_be_written(measured):
                yield measured
    yield Claim(claim.id, own)


def _can_be_written(claim: Claim) -> bool:
    try:
        contract.text(Contract("", "", (claim,)))
    except ValueError:
        return False
    return True


def _size(subject: Subject) -> Iterator[Parameters]:
    image = subject.image
    yield {"disk": _megabytes(image.disk), "pull": _megabytes(image.pull)}


def _megabytes(size: int) -> float:
    """Give megabytes with the margin, rounded up to a tenth; never none, which would be no limit."""
    return max(0.1, math.ceil(size * MARGIN / _MEGABYTE * 10) / 10)


def _layers(subject: Subject) -> Iterator[Parameters]:
    yield {"most": len(subject.image.layers)}


def _labels(subject: Subject) -> Iterator[Parameters]:
    names = sorted(name for name, value in subject.image.config.labels.items() if value.strip())
    if names:
        yield {"names": names}


def _signal(subject: Subject) -> Iterator[Parameters]:
    if subject.image.config.stop_signal:
        yield {"allowed": [subject.image.config.stop_signal]}


def _config(subject: Subject) -> Iterator[Parameters]:
    """State how the image is run; its variables and labels change with every build, and may hold what is nobody's."""
    config = subject.image.config
    stated: dict[str, object] = {"user": config.user, "workdir": config.workdir, "entrypoint": list(config.entrypoint)}
    stated |= {"cmd": list(config.cmd), "signal": config.stop_signal or "SIGTERM"}
    if config.exposed:
        stated["exposed"] = list(config.exposed)
    if config.volumes:
        stated["volumes"] = list(config.volumes)
    if config.healthcheck:
        stated["healthcheck"] = list(config.healthcheck.test)
    yield {name: value for name, value in stated.items() if not _is_secret(value)}


def _is_secret(value: object) -> bool:
    """Whether a part must not be written down: contracts are committed."""
    words = value if isinstance(value, list) else [value]
    return any(secrets.in_text(str(word)) for word in words)


_STOP_SECONDS = (3, 10)
"""Limits to try for a stop: what a good service needs, and what engines and clusters give at least."""


def _stop(_: Subject) -> Iterator[Parameters]:
    for seconds in _STOP_SECONDS:
        yield {"seconds": seconds}
        yield {"seconds": seconds, "readiness": "", "env": ""}


_MEASURES: Mapping[str, Callable[[Subject], Iterator[Parameters]]] = {
    "size-budget": _size,
    "layer-count": _layers,
    "labels-present": _labels,
    "stop-signal": _signal,
    "config-as-stated": _config,
    "graceful-stop": _stop,
}


def comments(recorded: Recorded, told: Callable[[Finding], Sequence[str]], unasked: Sequence[str] = ()) -> list[str]:
    """Write what is not in the contract, and why; `told` gives the lines of a finding."""
    titles = {
        Verdict.FAIL: "Not in it, since it does not hold:",
        Verdict.UNKNOWN: "Not in it, since it could not be decided:",
        Verdict.NOT_APPLICABLE: "Not in it, since it does not apply:",
    }
    lines: list[str] = []
    for verdict, title in titles.items():
        found = [finding for finding in recorded.left_out if finding.verdict is verdict]
        if found:
            lines += [title, *(f"  {line}" for finding in found for line in told(finding)), ""]
    if recorded.not_run:
        lines += ["Not decided, since nothing was started (--run):", *_wrapped(recorded.not_run), ""]
    if unasked:
        lines += ["Not asked, since it costs an image more; a contract that names it asks it:", *_wrapped(unasked), ""]
    return lines[:-1]


def _wrapped(names: Sequence[str]) -> list[str]:
    return textwrap.wrap(", ".join(names), 100, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
