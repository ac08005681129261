"""Programs of an engine's own root file system, for images that need no registry."""

from __future__ import annotations

import shutil
from pathlib import Path

from stageproof.engine.home import Home


def copied(home: Home, context: Path, program: str) -> list[str]:
    """Copy a program that needs only libc into a build context, and give the lines of a Dockerfile that take it in."""
    usr = home.root / "usr"
    for file in [usr / "bin" / program, *usr.glob("lib/*-linux-gnu*/libc.so.6"), *usr.glob("lib*/ld-linux*")]:
        target = context / "usr" / file.relative_to(usr)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.resolve(), target)
    return ["COPY usr /usr", "COPY usr/lib64 /lib64" if (context / "usr/lib64").exists() else "COPY usr/lib /lib"]
