"""`entrypoint-resolves`: the kernel would start the image's command, judged from the image alone."""

from __future__ import annotations

from stageproof.checks.subject import Subject, evidence_of, failed, passed, unknown
from stageproof.image import identity, launch
from stageproof.model import Evidence, Finding

CLAIM = "has an entry point that resolves: file, mode, CPU, loader, libraries, interpreter"
BROKEN = "has an entry point that cannot start"
WHY = "the kernel's own message (`no such file or directory`) names the program even when it means its loader"


def check(subject: Subject) -> Finding:
    """Decide the claim for ENTRYPOINT and CMD, as USER, in WORKDIR, with the image's PATH."""
    image = subject.image
    command = image.config.command
    if not command:
        seen = [Evidence("neither ENTRYPOINT nor CMD is set")]
        return failed(
            "entrypoint-resolves", "has no entry point", seen, "ENTRYPOINT in exec form, with an absolute path"
        )
    who = identity.identity(image)
    if who is None:
        return unknown(
            "entrypoint-resolves", BROKEN, [Evidence(f"the image does not know its USER {image.config.user!r}")]
        )
    start = launch.launch(image, command, who)
    files = [evidence_of(image, entry, f"used by {' '.join(command)}") for entry in start.files]
    if start.problem:
        return failed("entrypoint-resolves", BROKEN, [Evidence(start.problem), *files])
    return passed("entrypoint-resolves", f"starts {' '.join(command)}", files)
