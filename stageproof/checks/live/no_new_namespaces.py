"""no-new-namespaces: no program of the image's container can make a user namespace, or mount anything."""

from __future__ import annotations

import re

from stageproof.checks.running import lines, live_of
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.live.tools import PLACE, run_freely, run_within
from stageproof.model import Evidence, Finding

ID = "no-new-namespaces"
CLAIM = "can make no user namespace and mount nothing"
BROKEN = "can make a user namespace, or mount something"
WHY = "In a namespace of its own a program is root to much of the kernel, and most ways out of a container begin there."

# The mount comes last: it hides the tools.
SCRIPT = f"""
echo "uid $({PLACE}/id -u)"
{PLACE}/unshare -U {PLACE}/true; echo "namespace $?"
{PLACE}/mount -t tmpfs none {PLACE}; echo "mount $?"
"""
TRIES = {"namespace": "a user namespace was made", "mount": "a file system was mounted"}
SUCCESS = 0
TOLD = re.compile(r"^(uid|namespace|mount) (\d+)$", re.MULTILINE)
DO = "leave the engine's default filter of system calls on, add no capability, and start as another user than root"


def check(subject: Subject) -> Finding:
    """Try both in a container of the image, by static tools from a volume; and where both are allowed, as a control."""
    live = live_of(subject)
    printed = run_within(live, SCRIPT)
    told = _told(printed)
    seen = lines(printed)
    if told.keys() != {"uid", *TRIES}:
        return unknown(ID, "the helper's tools did not run in it", seen)
    done = [Evidence(text) for name, text in TRIES.items() if told[name] == SUCCESS]
    if done:
        return failed(ID, BROKEN, [Evidence(f"by the user {told['uid']}"), *done, *seen], DO)
    control = run_freely(live, SCRIPT)
    able = _told(control)
    if any(able.get(name) != SUCCESS for name in TRIES):
        message = "where nothing forbids it, the same tools could not do it either"
        return unknown(ID, message, [*seen, *lines(control)], "use an engine whose kernel allows user namespaces")
    return passed(ID, CLAIM, [*seen, Evidence("control: where nothing forbids it, the same tools did both")])


def _told(printed: str) -> dict[str, int]:
    return {name: int(code) for name, code in TOLD.findall(printed)}
