"""The program that starts a command with tools in the root of a target. It runs in the helper container, as source.

Its own process number leads back to the tools: /proc/NUMBER/root is this container's root, also from within the
target's. So nothing is written there. Standard library only.

Without a terminal, standard input comes in pieces: four bytes of length, then so many bytes; a length of 0 is its end.
No connection to an engine needs to be closed in one direction then, which not all of them can do.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

TOOLS = "/tools"
HISTORY = "/tmp/history"  # noqa: S108 -- this container's own
TARGET = "/proc/1/root"
NO_TOOLS, NOT_FOUND, NOT_EXECUTABLE = 125, 127, 126
"""Exit codes, as those of a shell and of env(1)."""


def environment(told: dict[str, Any]) -> dict[str, str]:
    """Give the target's own variables, with the tools first in the PATH, and a history that is kept over here."""
    home = f"/proc/{os.getpid()}/root"
    path = f"{home}{TOOLS}:{told['environment'].get('PATH', '/usr/bin:/bin')}"
    ours = {"PATH": path, "HOME": "/", "HISTFILE": f"{home}{HISTORY}", "PS1": f"{told['name']}:\\w\\$ "}
    return {**told["environment"], **ours, "TERM": told["terminal"]}


def start(told: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start the command in the target's root."""

    def enter() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.chroot(TARGET)
        os.chdir(told["folder"])

    command = told["command"] or [f"/proc/{os.getpid()}/root{TOOLS}/sh"]
    piped = None if told["tty"] else subprocess.PIPE
    # There is one thread so far.
    return subprocess.Popen(command, stdin=piped, env=environment(told), preexec_fn=enter)  # noqa: PLW1509


def feed(source: IO[bytes], sink: IO[bytes]) -> None:
    """Hand the pieces of standard input on, until its end, or until nobody reads them any more."""
    try:
        while length := int.from_bytes(source.read(4), "big"):
            sink.write(source.read(length))
            sink.flush()
    except BrokenPipeError:
        return
    finally:
        with contextlib.suppress(BrokenPipeError):
            sink.close()


def main() -> int:
    """Run the command; give its exit code, or 128 and the signal that ended it, as a shell does."""
    told = json.loads(sys.argv[1])
    if not Path(TOOLS, "sh").exists():
        sys.stderr.write("stageproof: this helper image has no tools; build it again\n")
        return NO_TOOLS
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command
    try:
        process = start(told)
    except OSError as error:
        sys.stderr.write(f"stageproof: {told['command'] and told['command'][0]}: {error.strerror}\n")
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    if process.stdin:
        threading.Thread(target=feed, args=(sys.stdin.buffer, process.stdin), daemon=True).start()
    code = process.wait()
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    ended = main()
    sys.stdout.flush()
    os._exit(ended)  # a thread may still wait for standard input
