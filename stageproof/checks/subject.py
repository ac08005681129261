"""What a check is given, and how it says what it saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from stageproof.checks import origin
from stageproof.dockerfile import Dockerfile
from stageproof.image import Entry, Image, Layer, launch
from stageproof.model import Evidence, Finding, Stack, Variant, Verdict

if TYPE_CHECKING:
    from stageproof.live import Live


@dataclass(frozen=True)
class Subject:
    """One image, with everything that a check may ask about it."""

    image: Image
    stack: Stack | None = None
    """Facts of the app, if it is one of the project's own."""
    variant: Variant | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    """Label values as they were given to the build: version, revision, created."""
    bases: Mapping[str, Image] = field(default_factory=dict)
    """The images that its FROM lines used, by reference."""
    siblings: Mapping[str, Image] = field(default_factory=dict)
    """The stack's other variants, by the variant's name."""
    second: Image | None = None
    """Another build of the same sources."""
    canary: str = ""
    """A value given to the build as a secret: it must be found nowhere."""
    company_ca: tuple[bytes, ...] = ()
    """Byte strings of the company's certificates."""
    unit_tests: bool | None = None
    """Whether the target `test` built; None: it was not built."""
    live: Live | None = None
    """Starts containers of this image; None: nothing may be started."""
    dockerfile: Dockerfile | None = None
    """The Dockerfile that the image was built from; None: it is not known."""
    elsewhere: bool = False
    """Whether it was built by somebody else: then nothing can be asked about its build and its sibling images."""

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The merged tree in the order of its paths, sorted once for all checks."""
        return tuple(self.image.walk())

    @cached_property
    def origins(self) -> origin.Origins:
        """Which layers are the base's, and which line of the Dockerfile made each of the others."""
        return origin.find(self.image, self.bases, self.dockerfile)


def passed(claim: str, message: str, evidence: Iterable[Evidence] = ()) -> Finding:
    """Say that the claim holds."""
    return Finding(claim, Verdict.PASS, message, tuple(evidence))


def failed(claim: str, message: str, evidence: Iterable[Evidence] = (), do: str = "") -> Finding:
    """Say that the claim does not hold, what was seen, and what to do."""
    return Finding(claim, Verdict.FAIL, message, tuple(evidence), do)


def unknown(claim: str, message: str, evidence: Iterable[Evidence] = (), do: str = "") -> Finding:
    """Say that the claim could not be decided, and why."""
    return Finding(claim, Verdict.UNKNOWN, message, tuple(evidence), do)


def not_applicable(claim: str, message: str) -> Finding:
    """Say that the claim says nothing about this image, and why."""
    return Finding(claim, Verdict.NOT_APPLICABLE, message)


ELSEWHERE = "was built elsewhere, and this is about the project's own builds"


class Says(NamedTuple):
    """What a check says: when its claim holds, when it is broken, and what to do then."""

    holds: str
    broken: str
    do: str


def absent(claim: str, says: Says, subject: Subject, culprits: Iterable[Evidence]) -> Finding:
    """Decide a claim that something is not there: broken by a culprit; holds only if the image was really read.

    The positive control: the same index must hold the program that the image starts.
    """
    seen = tuple(culprits)
    if seen:
        return failed(claim, says.broken, seen, says.do)
    if launch.program(subject.image) is None:
        command = " ".join(subject.image.config.command) or "none is declared"
        told = Evidence(f"the image's own program was not found by the same method: {command}")
        message = f"could not be shown that it {says.holds}"
        return unknown(claim, message, [told], "make ENTRYPOINT name a file of the image")
    return passed(claim, says.holds)


def evidence_of(subject: Subject, entry: Entry, text: str) -> Evidence:
    """Show an entry of the merged tree: path, size, layer, the instruction that brought it, and whose it is."""
    return evidence_in(subject, subject.image.layer_of(entry), text, entry.path, entry.size)


def evidence_in(subject: Subject, layer: Layer, text: str, path: str = "", size: int | None = None) -> Evidence:
    """Show something of one layer, also what no container sees."""
    origins = subject.origins
    return Evidence(
        text,
        path,
        size,
        layer.number,
        layer.created_by,
        origin=origins.of(layer.number),
        line=origins.line(layer.number),
    )


def evidence_at(subject: Subject, text: str, *keywords: str) -> Evidence:
    """Show something of the configuration, with the line of the instruction that says so, where it is known."""
    return Evidence(text, line=subject.origins.line_of(*keywords))


def is_of_base(subject: Subject, entry: Entry) -> bool:
    """Whether the base brought an entry of the merged tree; False where the base is not known."""
    return subject.origins.of(subject.image.brought_by[entry.path]).startswith("base")
