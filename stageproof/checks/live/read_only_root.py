"""read-only-root: the image serves without writing into its own files."""

from __future__ import annotations

from stageproof.checks.running import ended, lines, live_of, restricted, written_when_it_may
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options, Request
from stageproof.live.restrictions import TMPFS
from stageproof.model import Evidence, Finding

ID = "read-only-root"
CLAIM = "serves with a read-only root"
BROKEN = "does not serve with a read-only root"
WHY = "What cannot write into its own files cannot be changed by an intruder, and behaves the same after every start."
DO = "write to /tmp, or not at all"


def check(subject: Subject, path: str = "/") -> Finding:
    """Start it read-only with a noexec tmpfs on /tmp, wait for an answer, and look for changed files."""
    live = live_of(subject)
    try:
        with restricted(live, Options(read_only=True, tmpfs=TMPFS), path) as (running, _):
            mounts = running.helper.read("/proc/1/mountinfo") or ""
            changed = [line for line in running.container.changed_files() if line[2:] not in TMPFS]
    except ContainerError as error:
        wrote = [Evidence(f"without it, it wrote: {line}") for line in written_when_it_may(live, Request(path))]
        finding = ended(ID, error, DO)
        return failed(ID, f"{BROKEN}: {finding.message}", [*finding.evidence, *wrote], DO)
    if not _is_read_only(mounts):
        return unknown(ID, "the engine did not make the root read-only", lines(mounts))
    if changed:
        return failed(ID, "wrote into its file system", [Evidence(line) for line in changed], DO)
    return passed(ID, CLAIM, [Evidence("the root is mounted read-only"), Evidence("docker diff is empty")])


def _is_read_only(mountinfo: str) -> bool:
    """Read the options of the mount on /: the sixth field of its line."""
    roots = [words for words in map(str.split, mountinfo.splitlines()) if words[4:5] == ["/"]]
    return bool(roots) and "ro" in roots[-1][5].split(",")
