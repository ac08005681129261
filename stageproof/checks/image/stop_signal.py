"""`stop-signal`: the image is stopped by a signal that its app handles."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from stageproof.checks.subject import Subject, evidence_at, failed, passed
from stageproof.model import Finding

CLAIM = "is stopped by a signal that its app handles"
BROKEN = "is stopped by a signal that its app does not handle"
WHY = "a signal that nobody handles is waited for in vain, and then the app is killed in the middle of its work"
DO = "leave STOPSIGNAL out (SIGTERM), or name the app's signal in the contract"
DEFAULT = "SIGTERM"
"""What engines send where an image names none."""


def check(subject: Subject, allowed: Sequence[str] = (DEFAULT,)) -> Finding:
    """Decide the claim by STOPSIGNAL; `allowed` are the signals that the app handles. SIGKILL never is one."""
    declared = subject.image.config.stop_signal
    name = _name(declared) if declared else DEFAULT
    if name in {_name(each) for each in allowed} - {"SIGKILL", "SIGSTOP"}:
        return passed("stop-signal", f"is stopped by {name}")
    seen = [evidence_at(subject, f"STOPSIGNAL is {declared or f'not set, so {DEFAULT}'}", "STOPSIGNAL")]
    return failed("stop-signal", BROKEN, seen, DO)


def _name(text: str) -> str:
    """Write a signal by its one name: `15`, `TERM` and `sigterm` are SIGTERM; what is none stays as it is."""
    if text.isdigit():
        return next((each.name for each in signal.Signals if str(each.value) == text.lstrip("0")), text)
    upper = text.upper()
    return upper if upper.startswith("SIG") else f"SIG{upper}"
