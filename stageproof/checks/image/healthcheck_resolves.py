"""`healthcheck-resolves`: the image declares a health check that can start."""

from __future__ import annotations

from stageproof.checks.start import stopped_before
from stageproof.checks.subject import Subject, evidence_at, evidence_of, failed, passed
from stageproof.image import identity, launch
from stageproof.model import Finding

CLAIM = "has a health check that resolves: file, mode, CPU, loader, libraries, interpreter"
BROKEN = "has a health check that cannot start"
WHY = "a health check whose program is missing is unhealthy for ever, and nobody sees why"
DO = "HEALTHCHECK in exec form with the app's own probe"


def check(subject: Subject) -> Finding:
    """Decide the claim for HEALTHCHECK, as USER, in WORKDIR, with the image's PATH."""
    image = subject.image
    test = image.config.healthcheck.test if image.config.healthcheck else ()
    if len(test) <= 1 or test[0] not in {"CMD", "CMD-SHELL"}:
        told = "HEALTHCHECK is NONE" if test[:1] == ("NONE",) else "HEALTHCHECK is not set"
        seen = [evidence_at(subject, told, "HEALTHCHECK")]
        return failed("healthcheck-resolves", "declares no health check", seen, DO)
    command = test[1:] if test[0] == "CMD" else (*image.config.shell, test[1])
    trouble = stopped_before(subject)
    who = identity.identity(image)
    if who is None or trouble:
        return failed("healthcheck-resolves", BROKEN, [trouble] if trouble else [], DO)
    start = launch.launch(image, command, who)
    files = [evidence_of(subject, entry, f"used by {' '.join(command)}") for entry in start.files]
    if start.problem:
        return failed("healthcheck-resolves", BROKEN, [evidence_at(subject, start.problem, "HEALTHCHECK"), *files], DO)
    return passed("healthcheck-resolves", f"probes with {' '.join(command)}", files)
