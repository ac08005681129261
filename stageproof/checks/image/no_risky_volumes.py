"""`no-risky-volumes`: the image declares no volume that nobody asked for."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from stageproof.checks.subject import Subject, evidence_at, failed, passed
from stageproof.model import Finding

CLAIM = "declares no volume but those of its contract, and none on a system folder"
BROKEN = "declares volumes that are not in its contract, or on a system folder"
WHY = "each start leaves an unnamed volume behind, later layers cannot change the folder, and it is always writable"
DO = "leave VOLUME out of the Dockerfile: who runs the image mounts what it needs"
SYSTEM = ("/dev", "/proc", "/sys", "/etc", "/bin", "/sbin", "/lib", "/usr", "/boot", "/run/docker.sock")


def check(subject: Subject, allowed: Sequence[str] = ()) -> Finding:
    """Decide the claim by VOLUME, the base's too; `allowed` are the ones that are meant, never a system folder."""
    meant = {_normal(path) for path in allowed}
    volumes = subject.image.config.volumes
    seen = []
    for volume in volumes:
        path = _normal(volume)
        if path == "/" or any(path == folder or path.startswith(f"{folder}/") for folder in SYSTEM):
            seen.append(evidence_at(subject, f"VOLUME {volume} is on a system folder", "VOLUME"))
        elif path not in meant:
            seen.append(evidence_at(subject, f"VOLUME {volume} is not in the contract", "VOLUME"))
    if seen:
        return failed("no-risky-volumes", BROKEN, seen, DO)
    return passed("no-risky-volumes", f"declares {', '.join(volumes)}" if volumes else "declares no volume")


def _normal(path: str) -> str:
    return "/" + posixpath.normpath(path).strip("/")
