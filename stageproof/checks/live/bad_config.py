"""bad-config: a value that cannot be right ends the start, with one line that says which."""

from __future__ import annotations

from stageproof.checks.running import ended, lines, live_of, trace_in
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Options, State
from stageproof.model import Evidence, Finding

ID = "bad-config"
CLAIM = "ends with one clear line when its configuration is wrong"
BROKEN = "does not end with one clear line when its configuration is wrong"
WHY = "A wrong value that is passed over shows hours later; a stack trace hides the one word that would help."

SIGNALLED = 128
LAST = 5
DO = "check every setting at the start, name the one that is wrong, and end with an exit code of your own"


def check(subject: Subject, env: str = "PORT", value: str = "not-a-port", most_lines: int = 1) -> Finding:
    """Start it with a wrong value, and read its exit code and everything that it says."""
    live = live_of(subject)
    try:
        with live.start(Options(env={env: value})) as container:
            state = container.wait_ended(live.limits.start_seconds)
            printed = container.output().decode(errors="replace")
    except ContainerError as error:
        return ended(ID, error)
    seen = [Evidence(f"{env}={value}"), *lines(printed)[-LAST:]]
    if state is None:
        return failed(ID, f"runs on with {env}={value}", seen, DO)
    seen.insert(1, Evidence(f"it ended with exit code {state.exit_code}"))
    if state.out_of_memory or state.exit_code > SIGNALLED:
        return unknown(ID, f"was killed: exit code {state.exit_code}", seen)
    wrong = _wrong(state, printed, env, most_lines)
    return failed(ID, wrong, seen, DO) if wrong else passed(ID, CLAIM, seen)


def _wrong(state: State, printed: str, env: str, most_lines: int) -> str:
    """Say what is wrong with how it ended; empty if nothing is."""
    told = [line for line in printed.splitlines() if line.strip()]
    if state.exit_code == 0:
        return "ended as if all was well"
    if trace_in(printed):
        return "ended with a stack trace instead of a message"
    if not any(env in line for line in told):
        return f"does not name {env} when it ends"
    return f"said {len(told)} lines instead of {most_lines}" if len(told) > most_lines else ""
