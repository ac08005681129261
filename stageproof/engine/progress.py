"""What `docker buildx ... --progress=plain` prints, read line by line."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

TAIL = 10
"""How many of a step's last lines an error shows."""

_LINE = re.compile(r"^#(?P<number>\d+) (?P<rest>.*)$")
_STEP = re.compile(r"^\[(?P<place>[^\]]+)\] ?(?P<text>.*)$")
_DONE = re.compile(r"^DONE (?P<seconds>[\d.]+)s$")
_OUTPUT = re.compile(r"^[\d.]+ (?P<text>.*)$")
_FLAGS = re.compile(r"^(\s*--\S+)+\s*")
_FAILED_TARGET = re.compile(r"^ERROR: target (?P<target>\S+?): (?P<message>.*)$")
_INTERNAL = ("internal", "auth")


@dataclass
class Step:
    """One step of a build as far as it has come."""

    target: str
    """The target under whose name the step runs; steps that targets share run under one of their names."""
    place: str
    """`build 2/3`."""
    text: str
    state: str = "running"
    seconds: float = 0.0
    ended: float = 0.0
    """Seconds from the start of the build to its last line."""
    output: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))

    @property
    def title(self) -> str:
        """The step as its Dockerfile says it: `[build 2/3] RUN go build`."""
        return f"[{self.place}] {self.text}".strip()

    @property
    def short(self) -> str:
        """The step in few words: without the flags of its instruction, on one line."""
        instruction, _, rest = self.text.partition(" ")
        return f"{instruction} {_FLAGS.sub('', rest)}".rstrip() if instruction.isupper() else self.text


class Reader:
    """Collects the steps of a build from its lines."""

    def __init__(self, only_target: str = "") -> None:
        """Begin; `only_target` is the target when bake builds a single one, and so leaves its name out."""
        self._only_target = only_target
        self._steps: dict[str, Step] = {}
        self._errors: list[str] = []
        self.failed_target = ""
        self.message = ""

    def feed(self, line: str) -> Step | None:
        """Take one line, and give the step that it tells of, if it tells of one."""
        if failed := _FAILED_TARGET.match(line):
            self.failed_target, self.message = failed["target"], failed["message"]
        match = _LINE.match(line)
        if match is None:
            if line.startswith("ERROR: "):
                self._errors.append(line)
            return None
        number, rest = match["number"], match["rest"]
        step = self._steps.get(number)
        if step is None:
            if started := _STEP.match(rest):
                step = self._steps[number] = self._started(started["place"], started["text"])
            return step
        self._continued(step, rest)
        return step

    def steps(self) -> Iterator[Step]:
        """Give the steps that come from a Dockerfile, in order."""
        return (step for step in self._steps.values() if not step.place.startswith(_INTERNAL))

    def failed_step(self) -> Step | None:
        """Give the step that ended the build, if one did."""
        return next((step for step in self._steps.values() if step.state == "error"), None)

    def last_words(self) -> str:
        """Give the builder's own error lines."""
        return "\n".join(self._errors[-TAIL:])

    def _started(self, place: str, text: str) -> Step:
        if self._only_target:
            return Step(target=self._only_target, place=place, text=text)
        target, _, inner = place.partition(" ")
        return Step(target=target, place=inner, text=text)

    @staticmethod
    def _continued(step: Step, rest: str) -> None:
        if done := _DONE.match(rest):
            step.state, step.seconds = "done", step.seconds + float(done["seconds"])
        elif rest == "CACHED":
            step.state = "cached"
        elif rest == "CANCELED":
            step.state = "canceled"
        elif rest.startswith("ERROR: "):
            step.state = "error"
            step.output.append(rest.removeprefix("ERROR: "))
        elif output := _OUTPUT.match(rest):
            step.output.append(output["text"])
