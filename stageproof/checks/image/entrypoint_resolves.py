"""`entrypoint-resolves`: the kernel would start the image's command, judged from the image alone."""

from __future__ import annotations

from stageproof.checks.start import stopped_before
from stageproof.checks.subject import Subject, evidence_at, evidence_of, failed, passed
from stageproof.image import identity, launch
from stageproof.model import Evidence, Finding

CLAIM = "has an entry point that resolves: file, mode, CPU, loader, libraries, interpreter"
BROKEN = "has an entry point that cannot start"
DO = "ENTRYPOINT in exec form, with an absolute path, to a program that the image holds with all that it needs"
WHY = "the kernel's own message (`no such file or directory`) names the program even when it means its loader"


def check(subject: Subject) -> Finding:
    """Decide the claim for ENTRYPOINT and CMD, as USER, in WORKDIR, with the image's PATH."""
    image = subject.image
    command = image.config.command
    if not command:
        seen = [Evidence("neither ENTRYPOINT nor CMD is set")]
        return failed("entrypoint-resolves", "has no entry point", seen, DO)
    trouble = stopped_before(subject)
    who = identity.identity(image)
    if who is None or trouble:
        return failed("entrypoint-resolves", BROKEN, [trouble] if trouble else [], DO)
    start = launch.launch(image, command, who)
    files = [evidence_of(subject, entry, f"used by {' '.join(command)}") for entry in start.files]
    if start.problem:
        return failed(
            "entrypoint-resolves", BROKEN, [evidence_at(subject, start.problem, "ENTRYPOINT", "CMD"), *files], DO
        )
    return passed("entrypoint-resolves", f"starts {' '.join(command)}", files)
