"""One bake call for many images; where a target fails, the rest still finish."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stageproof.engine import pulse
from stageproof.engine.bake import FILE, proxies
from stageproof.engine.client import LOST_CONNECTION, Engine, died
from stageproof.engine.progress import Reader, Step
from stageproof.errors import NO_SPACE, BuildError, DiskFullError, DockerCliError

ADDITIONS = "additions.json"
_METADATA = "metadata.json"
# What buildx says when the engine is gone; a step's own words stand after a number, and never at the start of a line.
_LOST_ENGINE = re.compile(
    r"^ERROR: .*(code = Unavailable|failed to solve: Unavailable|Cannot connect to the Docker|error during connect)"
)


@dataclass(frozen=True)
class Built:
    """A target that was built."""

    target: str
    digest: str
    """The image's id in the engine; empty for targets that make no image."""
    seconds: float
    """From the start of the bake call until it was there: targets share steps, so that none has a time of its own."""
    cached: bool
    bases: Mapping[str, str]
    """The digests of the images it was built on, as the builder tells them, by name."""


@dataclass(frozen=True)
class Failed:
    """A target that was not built, and why."""

    target: str
    step: str
    seen: str
    """The last lines of the step, untouched."""
    log: Path


@dataclass
class Outcome:
    """What came of a build."""

    built: dict[str, Built] = field(default_factory=dict)
    failed: dict[str, Failed] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """What every bake call of a run has in common."""

    engine: Engine
    root: Path
    folder: Path
    """Where the run's own files go; below `root`, since bake asks before it reads elsewhere."""
    variables: Mapping[str, str]
    """Values of the bake file's variables."""
    builder: str | None = None


def build(
    call: Call, additions: Mapping[str, Any], waves: Sequence[Sequence[str]], tell: Callable[[Step], None]
) -> Outcome:
    """Build the targets, wave after wave, and give what came of each; one that lost its connection is tried once more.

    Raises DockerCliError if buildx does not work, EngineDiedError if the engine ends or falls silent meanwhile.
    """
    call.folder.mkdir(parents=True, exist_ok=True)
    (call.folder / ADDITIONS).write_text(json.dumps(additions, indent=2), encoding="utf-8")
    outcome = Outcome()
    tried_again: set[str] = set()
    for wave in waves:
        left = list(wave)
        while left:
            reader, lines, code = _bake(call, left, tell)
            if code == 0:
                outcome.built.update(_results(call, left, reader))
                break
            if lost := next(filter(_LOST_ENGINE.match, lines), ""):
                raise died(call.engine, lost)
            # Bake cancels the others with the one that failed: leave that one out, and go on with the rest.
            failed = _failure(call, left, reader, lines)
            if LOST_CONNECTION.search(failed.seen) and failed.target not in tried_again:
                tried_again.add(failed.target)
                continue
            outcome.failed[failed.target] = failed
            left.remove(failed.target)
    return outcome


def _bake(call: Call, targets: Sequence[str], tell: Callable[[Step], None]) -> tuple[Reader, list[str], int]:
    command = [*call.engine.buildx, "bake", "-f", FILE, "-f", str((call.folder / ADDITIONS).relative_to(call.root))]
    command += ["--progress", "plain", "--metadata-file", str(call.folder / _METADATA)]
    command += ["--builder", call.builder] if call.builder else []
    (call.folder / _METADATA).unlink(missing_ok=True)
    reader, lines = Reader(targets[0] if len(targets) == 1 else ""), list[str]()
    begun = time.monotonic()
    environment = call.engine.environment() | proxies() | dict(call.variables)
    with (
        subprocess.Popen(
            [*command, *targets],
            cwd=call.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
        ) as process,
        pulse.ends_with(call.engine, process) as heard,
    ):
        try:
            for raw in process.stdout or ():
                line = raw.rstrip("\n")
                lines.append(line)
                if step := reader.feed(line):
                    step.ended = time.monotonic() - begun
                    tell(step)
        except BaseException:
            # Ctrl-C reaches buildx too, which then ends the build in the engine; leaving the block waits for it.
            process.terminate()
            raise
    if heard.lost:
        raise died(call.engine, heard.lost)
    return reader, lines, process.returncode


def _results(call: Call, targets: Sequence[str], reader: Reader) -> dict[str, Built]:
    metadata = json.loads((call.folder / _METADATA).read_text(encoding="utf-8"))
    steps = list(reader.steps())
    results = {}
    for target in targets:
        told = metadata.get(target, {})
        own = [step for step in steps if step.target == target]
        worked = [step for step in own if step.state == "done" and not step.text.startswith("FROM ")]
        provenance = told.get("buildx.build.provenance", {})
        results[target] = Built(
            target=target,
            digest=told.get("containerimage.config.digest") or told.get("containerimage.digest", ""),
            seconds=max((step.ended for step in own if step.state == "done"), default=0.0),
            cached=not any(step.place for step in worked),  # exporting has no place in the Dockerfile
            bases={
                each["uri"]: each["digest"]["sha256"] for each in provenance.get("materials", ()) if "digest" in each
            },
        )
    return results


def _failure(call: Call, targets: Sequence[str], reader: Reader, lines: Sequence[str]) -> Failed:
    step = reader.failed_step()
    target = reader.failed_target or (step.target if step else "")
    if target not in targets and len(targets) > 1:
        failed = "docker buildx bake failed, and not because of a target"
        raise DockerCliError(failed, seen="\n".join(lines[-10:]), why="nothing can be built", do="invoke doctor")
    target = target if target in targets else targets[0]
    log = call.folder / "logs" / f"{target}.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    seen = (
        "\n".join(step.output)
        if step and step.output
        else reader.message or reader.last_words() or "\n".join(lines[-10:])
    )
    return Failed(target=target, step=step.title if step else "", seen=seen, log=log)


def failure_text(failed: Failed) -> BuildError | DiskFullError:
    """Say what a failed target's user needs to know, in four parts."""
    seen = f"{failed.step}\n{failed.seen}\n(last lines; whole log: {failed.log})" if failed.step else failed.seen
    if NO_SPACE in failed.seen.lower():
        why = "this says nothing about the Dockerfile"
        return DiskFullError(
            f"{failed.target} did not build: the engine has no space left",
            seen=seen,
            why=why,
            do="make room on the engine's disk, and build again",
        )
    return BuildError(
        f"{failed.target} did not build", seen=seen, do="mend that step, and build again; the rest is kept"
    )
