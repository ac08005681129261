"""Every way in which Stageproof itself can fail, on one page.

Error                            exit code
├── UsageError                        2   an unknown name, option or value
├── CatalogError                      4   a file of the project says something that cannot be
├── EngineError                      10   no engine, and none can be started
│   ├── NotRootError                 11
│   ├── NoAptError                   12
│   ├── NoPackageIndexError          13
│   ├── EngineTooOldError            14
│   ├── BuildxMissingError           15
│   ├── EngineDiedError              16
│   ├── DiskFullError                17
│   └── DockerCliError               18
├── BaseError                        20   a base cannot be had, nor its stand-in be made
├── BuildError                        1   a target did not build: an answer, not an accident
├── NothingBuiltError                21   there is no build to test or to run
├── ImageError                       30   an image cannot be read
├── ContainerError                   31   a container did not start, or ended too early
├── HelperError                      32   the helper container could not look or ask
├── QuestionError                    33   a container cannot be asked that: no such file, no shell to run it with
└── InterruptedRunError             130   Ctrl-C

Exit code 1 is left to answers (a target did not build, a claim does not hold), 3 to "something is unknown".
"""

from __future__ import annotations

from typing import ClassVar


class Error(Exception):
    """Something that Stageproof could not do, in four parts.

    failed: what was tried and did not work. seen: the tool's own last lines, untouched. why: why it matters.
    do: what to do now.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, failed: str, *, seen: str = "", why: str = "", do: str = "") -> None:
        super().__init__(failed)
        self.failed = failed
        self.seen = seen
        self.why = why
        self.do = do

    def __str__(self) -> str:
        """Give the four parts, a line or more each, leaving out the empty ones."""
        parts = [self.failed]
        for word, text in (("seen", self.seen), ("why", self.why), ("do", self.do)):
            lines = text.rstrip("\n").splitlines()
            parts += [f"  {word if number == 0 else '':<7}{line}".rstrip() for number, line in enumerate(lines)]
        return "\n".join(parts)


class UsageError(Error):
    """A name, an option or a value that is not known."""

    exit_code = 2


class CatalogError(Error):
    """A file of the project says something that cannot be."""

    exit_code = 4


class EngineError(Error):
    """No engine answers, and none can be started."""

    exit_code = 10


class NotRootError(EngineError):
    """The private engine needs root."""

    exit_code = 11


class NoAptError(EngineError):
    """The private engine needs apt: a Debian or Ubuntu host."""

    exit_code = 12


class NoPackageIndexError(EngineError):
    """No package index answers, so the private engine's files cannot be had."""

    exit_code = 13


class EngineTooOldError(EngineError):
    """An engine or buildx answers that is too old."""

    exit_code = 14


class BuildxMissingError(EngineError):
    """An engine answers, but there is no buildx to build with."""

    exit_code = 15


class EngineDiedError(EngineError):
    """The engine ended, or stopped answering."""

    exit_code = 16


NO_SPACE = "no space left on device"
"""The kernel's words for a full disk, which engine and builder hand on."""


class DiskFullError(EngineError):
    """There is no space left for what has to be written."""

    exit_code = 17


class DockerCliError(EngineError):
    """The Docker CLI is needed and absent, or failed by itself."""

    exit_code = 18


class BaseError(Error):
    """A base cannot be had, and its stand-in cannot be made."""

    exit_code = 20


class BuildError(Error):
    """A target did not build."""

    exit_code = 1


class NothingBuiltError(Error):
    """There is no build to test or to run."""

    exit_code = 21


class ImageError(Error):
    """An image cannot be read."""

    exit_code = 30


class ContainerError(Error):
    """A container did not start, did not answer in time, or ended too early."""

    exit_code = 31


class HelperError(Error):
    """The helper container could not look or ask: what it was asked stays unknown."""

    exit_code = 32


class QuestionError(Error):
    """A container cannot be asked that: there is no such file, or no shell to run a command with."""

    exit_code = 33


class InterruptedRunError(Error):
    """The user stopped the run."""

    exit_code = 130
