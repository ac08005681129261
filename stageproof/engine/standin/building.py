"""Stand-ins that a Dockerfile describes, and what all makers share: the engine, the CA, the folder for logs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stageproof.engine import pulse
from stageproof.engine.client import LOST_CONNECTION, Engine, died
from stageproof.engine.home import tail
from stageproof.engine.standin.composition import DOCKERFILE, Composition
from stageproof.errors import NO_SPACE, BaseError, DiskFullError

WHY = "no registry answers, so an image composed here has to stand in for this base"
DO = "check the network and apt's sources; docs/engine.md"
_LAST_WORDS, _LAST_LINES = 60, 10
_RULER = "\n------\n"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True)
class Workshop:
    """Where and with what stand-ins are made."""

    engine: Engine
    ca_bundle: Path | None
    cache: Path
    progress: Callable[[str], None]

    def log(self, name: str) -> Path:
        """Give the log file of one maker."""
        return self.cache / "logs" / f"{name}.log"


def build_dockerfile(workshop: Workshop, composition: Composition, contexts: Mapping[str, str]) -> None:
    """Build the stand-in of a base from its Dockerfile; the image has its name only when it is whole."""
    (reference,) = composition.base.references
    labels = [f"--label={name}={value}" for name, value in composition.labels(reference).items()]
    options = [*labels, f"--tag={composition.image(reference)}"]
    run_build(workshop, composition.name, composition.base.folder / DOCKERFILE, contexts, options)


def run_build(workshop: Workshop, name: str, dockerfile: Path, contexts: Mapping[str, str], options: list[str]) -> None:
    """Run one `buildx build` in the folder of its Dockerfile. Raises BaseError with its last lines.

    Raises EngineDiedError where the engine falls silent meanwhile, DiskFullError where it has no space left.
    """
    # The engine's own builder: others neither see the engine's images nor keep theirs in it.
    command = [*workshop.engine.buildx, "build", f"--builder={workshop.engine.context or 'default'}"]
    command += ["--progress=plain", "--provenance=false", f"--file={dockerfile}"]
    command += [f"--build-context={reference}=docker-image://{image}" for reference, image in contexts.items()]
    command += [f"--build-arg={name}={value}" for name, value in _proxies().items()]
    command += [f"--secret=id=ca,src={workshop.ca_bundle}"] if workshop.ca_bundle else []
    log = workshop.log(name)
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [*command, *options, str(dockerfile.parent)]
    if not _run(workshop, words, log):
        return
    if LOST_CONNECTION.search(tail(log, _LAST_WORDS)) and not _run(workshop, words, log):
        return
    failed = f"the stand-in of {name} could not be built"
    seen = f"{_last_words(log)}\n(last lines; whole log: {log})"
    if NO_SPACE in seen.lower():
        raise DiskFullError(failed, seen=seen, why=WHY, do="make room on the engine's disk; docs/engine.md")
    raise BaseError(failed, seen=seen, why=WHY, do=DO)


def _run(workshop: Workshop, words: list[str], log: Path) -> int:
    """Run the builder, all that it says into the log, and give its exit code."""
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            words,
            env=workshop.engine.environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
        pulse.ends_with(workshop.engine, process) as heard,
    ):
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            raise
    if heard.lost:
        raise died(workshop.engine, heard.lost)
    return code


def _last_words(log: Path) -> str:
    """Give the last lines of the step that failed: the builder repeats them between two rulers, before its own."""
    said = tail(log, _LAST_WORDS)
    parts = said.split(_RULER)
    own = parts[-2] if len(parts) > 2 else said  # noqa: PLR2004 -- before, between and after the rulers
    return "\n".join(own.strip("\n").splitlines()[-_LAST_LINES:])


def _proxies() -> dict[str, str]:
    return {name: value for name in _PROXIES if (value := os.environ.get(name) or os.environ.get(name.lower()))}
