"""`platform-correct`: the image says for which platform it is, and its programs are for that one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from stageproof.checks.subject import Subject, evidence_of, failed, passed, unknown
from stageproof.image.elf import MACHINES
from stageproof.model import Evidence, Finding

CLAIM = "says for which platform it is, and holds programs for that one only"
BROKEN = "does not fit the platform that it says it is for"
WHY = "on another CPU nothing starts, or everything runs under slow emulation, and nobody sees why"
DO = "build the runtime stage without --platform=$BUILDPLATFORM, and compile for TARGETARCH"
ALSO_RUNS = {"amd64": ("386",), "arm64": ("arm",)}
"""What the CPUs of an architecture run as well."""


def check(subject: Subject, platform: str = "", other: tuple[str, ...] = ()) -> Finding:
    """Decide the claim by the configuration, and by each executable ELF file.

    `platform` (linux/amd64) is the one that is wanted; `other` are folders of files for other machines that are meant.
    """
    config = subject.image.config
    system, _, architecture = config.platform.partition("/")
    seen = []
    if not system or architecture in {"", "unknown"}:
        seen.append(Evidence(f"the configuration names no architecture: {config.platform}"))
    if platform and config.platform != platform:
        seen.append(Evidence(f"the configuration says {config.platform}, wanted is {platform}"))
    if not _is_time(config.created):
        seen.append(Evidence(f"the configuration has no time of making: {config.created!r}"))
    if not seen and architecture not in MACHINES:
        told = Evidence(f"no machine number is known for the architecture {architecture}")
        return unknown("platform-correct", f"could not be shown that it {CLAIM}", [told])
    if not seen:
        seen = list(_foreign(subject, architecture, other))
    if seen:
        return failed("platform-correct", BROKEN, seen, DO)
    return passed("platform-correct", f"is for {config.platform}, and so are its programs")


def _foreign(subject: Subject, architecture: str, other: tuple[str, ...]) -> Iterator[Evidence]:
    machines = {MACHINES[name] for name in (architecture, *ALSO_RUNS.get(architecture, ()))}
    for entry in subject.entries:
        header = entry.facts.elf
        meant = any(entry.path.startswith(folder.rstrip("/") + "/") for folder in other)
        if header is not None and entry.mode & 0o111 and header.machine not in machines and not meant:
            yield evidence_of(subject, entry, f"a program for another CPU (ELF machine {header.machine})")


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text[:19])
    except ValueError:
        return False
    return bool(text)
