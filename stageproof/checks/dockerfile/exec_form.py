"""`exec-form`: no shell stands between the engine and the app."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stageproof.checks.subject import Subject, evidence_at, failed, passed
from stageproof.image import Config
from stageproof.model import Evidence, Finding

CLAIM = "starts its app and its health check without a shell (exec form)"
BROKEN = "starts its app or its health check by a shell (shell form)"
WHY = "a shell as first process passes no signals on, so a stop kills the app; and it needs a shell in the image"
DO = 'ENTRYPOINT ["/app/run"], CMD ["--port", "8080"], HEALTHCHECK CMD ["/app/run", "healthcheck"]: double quotes'


def check(subject: Subject) -> Finding:
    """Decide the claim by what the instructions became in the image; the Dockerfile, where known, gives the lines."""
    config = subject.image.config
    seen = list(_shell_forms(subject, config))
    if seen:
        return failed("exec-form", BROKEN, seen, DO)
    if not config.command:
        return failed("exec-form", "has neither ENTRYPOINT nor CMD", do=DO)
    return passed("exec-form", CLAIM)


def _shell_forms(subject: Subject, config: Config) -> Iterator[Evidence]:
    for keyword, words in (("ENTRYPOINT", config.entrypoint), ("CMD", config.cmd)):
        if _is_shell(words, config):
            yield evidence_at(subject, f"{keyword} became {' '.join(words)}"[:200], keyword)
    test = config.healthcheck.test if config.healthcheck else ()
    if test[:1] == ("CMD-SHELL",) or (test[:1] == ("CMD",) and _is_shell(test[1:], config)):
        yield evidence_at(subject, f"HEALTHCHECK became {' '.join(test)}"[:200], "HEALTHCHECK")


def _is_shell(words: Sequence[str], config: Config) -> bool:
    """Whether the words are a shell with a command: the image's own SHELL, or the one that the shell form takes."""
    shells = (config.shell, ("/bin/sh", "-c"), ("/bin/bash", "-c"), ("sh", "-c"), ("bash", "-c"))
    return any(len(words) > len(shell) and tuple(words[: len(shell)]) == tuple(shell) for shell in shells)
