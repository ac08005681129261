"""The helper image for images that are not this project's, and its like: of this very version, found or built.

They are built from files of this package. Whether an image in the engine is made of the same files is looked up in the
image itself: a name proves nothing.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import docker.errors

from stageproof import dockerfile
from stageproof.engine import pulse, registry
from stageproof.engine.client import Engine, died
from stageproof.engine.standin import composition
from stageproof.errors import Error, HelperError
from stageproof.live.run import Run
from stageproof.live.sweep import remove_container

_LAST_LINES = 10


@dataclass(frozen=True)
class Own:
    """An image that is built from files of this package."""

    name: str
    folder: Path
    place: str
    """Where those files are in it, and nothing else."""
    why: str
    """What cannot be known without it."""
    elsewhere: str = ""
    """Another way to have it built."""

    @property
    def title(self) -> str:
        """Give what people call it: the helper image."""
        return f"{self.name.rpartition('/')[2]} image"


NAME = "stageproof/helper"
HELPER = Own(
    NAME,
    Path(__file__).resolve().parent / "live" / "helper",
    "/helper",
    "nothing can be asked of a running container without it",
    "; in the checkout: invoke build-all",
)


def ensure(client: docker.DockerClient, engine: Callable[[], Engine], run: Run, own: Own = HELPER) -> str:
    """Give the id of such an image of this version; build one if the engine has none. Raises HelperError.

    `engine` is asked for only to build: that needs buildx. Raises EngineDiedError if it falls silent meanwhile.
    """
    wanted = program(own)
    for name in (f"{own.name}:{_key(wanted)}", own.name):
        found = _image(client, name)
        if found and program_of(client, found, run, own) == wanted:
            return found
    return _built(client, engine, own, f"{own.name}:{_key(wanted)}")


def program(own: Own = HELPER) -> Mapping[str, str]:
    """Give the files that the image is made of, as they are in this package: name -> sha256."""
    files = [own.folder / "Dockerfile", *sorted(own.folder.glob("agent/*.py"))]
    return {str(path.relative_to(own.folder)): _sha256(path.read_bytes()) for path in files}


def program_of(client: docker.DockerClient, image: str, run: Run, own: Own = HELPER) -> Mapping[str, str]:
    """Give the same files as an image holds them: name -> sha256. No container of it is started."""
    name = run.new_name()
    try:
        container = client.containers.create(image, name=name, labels=run.labels)
        pieces, _ = container.get_archive(own.place)
        data = b"".join(pieces)
    except docker.errors.NotFound:
        return {}
    finally:
        remove_container(client, name)
    # The archive is the engine's own answer about an image whose files are only compared, never unpacked.
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        files = {member.name.partition("/")[2]: archive.extractfile(member) for member in archive if member.isreg()}
    return {name: _sha256(file.read()) for name, file in sorted(files.items()) if file and not name.endswith(".pyc")}


def _image(client: docker.DockerClient, name: str) -> str:
    try:
        return str(client.images.get(name).id)
    except docker.errors.ImageNotFound:
        return ""


def _built(client: docker.DockerClient, engine: Callable[[], Engine], own: Own, name: str) -> str:
    do = f"give the engine a way to what {own.folder.name}/Dockerfile names{own.elsewhere}"
    failed = f"the engine has no {own.title} of this version, and none could be built"
    try:
        builder = engine()
    except Error as error:
        raise HelperError(failed, seen=str(error), why=own.why, do=do) from error
    contexts = [part for each in _stand_ins(client, builder, own) for part in ("--build-context", each)]
    command = [*builder.buildx, "build", "--progress", "plain", "--load", "--tag", name, *contexts, str(own.folder)]
    environment = builder.environment()
    with (
        subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
        ) as process,
        pulse.ends_with(builder, process) as heard,
    ):
        told, _ = process.communicate()
    if heard.lost:
        raise died(builder, heard.lost)
    found = _image(client, name)  # asked after a failure too: an engine that is gone is told as that
    if process.returncode or not found:
        seen = "\n".join(told.splitlines()[-_LAST_LINES:])
        raise HelperError(failed, seen=seen, why=own.why, do=do)
    return found


def _stand_ins(client: docker.DockerClient, builder: Engine, own: Own) -> list[str]:
    """Give the stand-ins that the engine has for bases whose registry does not answer, as named contexts."""
    references = dockerfile.bases((own.folder / "Dockerfile").read_text(encoding="utf-8"))
    answering = registry.reachable(references, builder)
    silent = [reference for reference in references if registry.host(reference) not in answering]
    found = {reference: _stand_in(client, reference) for reference in silent}
    return [f"{reference}=docker-image://{tag}" for reference, tag in found.items() if tag]


def _stand_in(client: docker.DockerClient, reference: str) -> str:
    """Give the name of a stand-in that the engine has; what was built on it has its label, but another name."""
    label = f"{composition.LABEL}={composition.what_it_is(reference)}"
    own = f":{reference.rpartition(':')[2]}-"
    tags = [str(tag) for image in client.images.list(filters={"label": label}) for tag in image.tags]
    return next((tag for tag in sorted(tags) if own in tag), "")


def _key(files: Mapping[str, str]) -> str:
    return _sha256("\n".join(f"{name} {digest}" for name, digest in files.items()).encode())[:12]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
