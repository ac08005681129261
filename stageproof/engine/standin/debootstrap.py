"""The one stand-in that needs no other: Debian itself, made on the host and imported."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stageproof.engine import rootfs
from stageproof.engine.home import tail
from stageproof.engine.standin.building import DO, WHY, Workshop
from stageproof.engine.standin.composition import Composition, table, texts
from stageproof.errors import BaseError

_TOOL = "mmdebstrap"
_EXPIRED = ("is expired", "invalid since")


def make(workshop: Workshop, composition: Composition) -> None:
    """Make the root file system with mmdebstrap and import it; the image has its name only when it is whole."""
    log = workshop.log(composition.name)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    _require_tool(workshop, log)
    with tempfile.TemporaryDirectory(dir=workshop.cache, prefix="debootstrap-") as folder:
        archive = Path(folder) / "root.tar"
        _bootstrap(composition, archive, log)
        _import(workshop, composition, archive)


def command(composition: Composition, archive: Path, sources: tuple[str, ...]) -> list[str]:
    """Give the mmdebstrap command for a base."""
    base, stand_in = composition.base, composition.base.stand_in
    words = [_TOOL, f"--variant={stand_in['variant']}", f"--include={','.join(texts(stand_in, 'packages'))}"]
    words += [f"--dpkgopt={base.folder / str(stand_in['dpkg-options'])}"]
    words += [f"--customize-hook={base.folder / str(stand_in['customize'])}"]
    words += [f'--aptopt={name} "{value}"' for name, value in rootfs.apt_proxies().items()]
    return [*words, str(stand_in["suite"]), str(archive), *sources]


def sources(suite: str) -> Iterator[str]:
    """Give apt's sources where the host has its own Debian mirror; mmdebstrap knows the usual ones itself."""
    mirror = rootfs.mirror()
    if mirror:
        yield f"deb {mirror} {suite} main"
        yield f"deb {mirror} {suite}-updates main"
    security = "" if os.environ.get("STAGEPROOF_DEBIAN_MIRROR") else _security_mirror()
    if mirror and security:
        yield f"deb {security} {suite}-security main"


def _security_mirror() -> str:
    fields = "$(LABEL) $(REPO_URI)"
    asked = ["apt-get", "indextargets", "--format", fields, "Created-By: Packages"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    rows = (line.rpartition(" ") for line in done.stdout.splitlines())
    return next((uri for label, _, uri in rows if label == "Debian-Security"), "")


def _require_tool(workshop: Workshop, log: Path) -> None:
    if shutil.which(_TOOL):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        failed = f"the stand-in of Debian needs {_TOOL}, which this host does not have"
        raise BaseError(failed, why=WHY, do=f"install {_TOOL}, or run as root on Debian or Ubuntu; docs/engine.md")
    workshop.progress(f"installing {_TOOL} with apt")
    install = ["apt-get", "install", "--yes", "--no-install-recommends", _TOOL, "debian-archive-keyring"]
    if _logged(install, log) != 0 and (_logged(["apt-get", "update"], log) != 0 or _logged(install, log) != 0):
        failed = f"apt could not install {_TOOL}"
        raise _failure(failed, log)


def _bootstrap(composition: Composition, archive: Path, log: Path) -> None:
    words = command(composition, archive, tuple(sources(str(composition.base.stand_in["suite"]))))
    if _logged(words, log) == 0:
        return
    if any(text in log.read_text(errors="replace") for text in _EXPIRED):
        # Mirrors lag; signatures are checked all the same.
        archive.unlink(missing_ok=True)
        if _logged([*words[:1], '--aptopt=Acquire::Check-Valid-Until "false"', *words[1:]], log) == 0:
            return
    failed = "the stand-in of Debian could not be made"
    raise _failure(failed, log)


def _import(workshop: Workshop, composition: Composition, archive: Path) -> None:
    (reference,) = composition.base.references
    repository, _, tag = composition.image(reference).partition(":")
    config = table(composition.base, "config")
    changes = [f"ENV {setting}" for setting in texts(config, "env")]
    changes += [f"CMD {json.dumps(texts(config, 'cmd'))}"]
    changes += [f"LABEL {name}={json.dumps(value)}" for name, value in composition.labels(reference).items()]
    client = workshop.engine.connect()
    try:
        answer = str(client.api.import_image(src=str(archive), repository=repository, tag=tag, changes=changes))
    finally:
        client.close()
    if '"error"' in answer:
        failed = "the stand-in of Debian could not be imported"
        raise BaseError(failed, seen=answer[-2000:], why=WHY, do=DO)


def _logged(words: list[str], log: Path) -> int:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    with log.open("a") as file:
        return subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False, env=environment, cwd="/"
        ).returncode


def _failure(failed: str, log: Path) -> BaseError:
    seen = f"{tail(log)}\n(last lines; whole log: {log})"
    if "NO_PUBKEY" in log.read_text(errors="replace"):
        return BaseError(
            failed, seen=seen, why=WHY, do="install a debian-archive-keyring that has the keys of Debian 13"
        )
    return BaseError(failed, seen=seen, why=WHY, do=DO)
