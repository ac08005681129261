"""The distroless stand-ins, made together: one download of packages, one archive to load."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import docker

from stageproof.engine.standin.building import DO, WHY, Workshop, run_build
from stageproof.engine.standin.composition import PACKAGES_DOCKERFILE, Composition, table, texts
from stageproof.engine.standin.debian_package import DebianPackage, read_debian_package
from stageproof.engine.standin.distroless import Composer, Family, write_archive
from stageproof.engine.standin.items import ITEM_PACKAGES, Material
from stageproof.engine.standin.layer import Entry, folders
from stageproof.errors import BaseError


def make(
    workshop: Workshop,
    known: Mapping[str, Composition],
    wanted: Mapping[str, Collection[str]],
    contexts: Mapping[str, str],
) -> None:
    """Compose and load the wanted references, by the family's name. Raises BaseError."""
    with tempfile.TemporaryDirectory(dir=workshop.cache, prefix="distroless-") as name:
        folder = Path(name)
        _download(workshop, known, wanted, contexts, folder)
        packages = {each.name: each for each in map(read_debian_package, (folder / "packages").glob("*.deb"))}
        composer = Composer(_material(packages, folder), folder, (folder / "architecture").read_text().strip())
        client = workshop.engine.connect()
        try:
            images = [
                composer.compose(
                    family, reference, known[family.name].image(reference), known[family.name].labels(reference)
                )
                for family, references in _families(client, known, wanted).items()
                for reference in references
            ]
            archive = folder / "images.tar"
            write_archive(images, archive)
            _load(client, archive)
        finally:
            client.close()


def packages_of(family: Composition, known: Mapping[str, Composition]) -> tuple[str, ...]:
    """List the packages of a family and its parents, each once."""
    parent = family.base.stand_in.get("parent")
    inherited = packages_of(known[str(parent)], known) if parent else ()
    return tuple(dict.fromkeys((*inherited, *texts(family.base.stand_in, "packages"))))


def _download(
    workshop: Workshop,
    known: Mapping[str, Composition],
    wanted: Collection[str],
    contexts: Mapping[str, str],
    folder: Path,
) -> None:
    """Fetch what every family is made of, whichever are wanted now: the next call then finds it in the build cache."""
    all_families = [each for each in known.values() if each.kind == "distroless"]
    root = next(each for each in all_families if "parent" not in each.base.stand_in)
    union = {package for family in all_families for package in packages_of(family, known)} | set(ITEM_PACKAGES)
    cached = [each for each in all_families if "library-cache" in texts(each.base.stand_in, "items")]
    libraries = dict.fromkeys(package for family in cached for package in packages_of(family, known))
    options = [
        f"--build-arg=PACKAGES={' '.join(sorted(union))}",
        f"--build-arg=LIBRARY_PACKAGES={' '.join(libraries)}",
        f"--output=type=local,dest={folder}",
    ]
    run_build(workshop, next(iter(wanted)), root.base.folder / PACKAGES_DOCKERFILE, contexts, options)


def _material(packages: Mapping[str, DebianPackage], folder: Path) -> Material:
    applets = tuple((folder / "busybox-applets").read_text().split())
    return Material(packages, applets, (folder / "ld.so.cache").read_bytes())


def _families(
    client: docker.DockerClient, known: Mapping[str, Composition], wanted: Mapping[str, Collection[str]]
) -> dict[Family, Collection[str]]:
    families: dict[str, Family] = {}

    def family(name: str) -> Family:
        if name not in families:
            base = known[name].base
            parent = base.stand_in.get("parent")
            config, debug = table(base, "config"), table(base, "debug")
            families[name] = Family(
                name=name,
                parent=family(str(parent)) if parent else None,
                packages=texts(base.stand_in, "packages"),
                items=texts(base.stand_in, "items"),
                env=texts(config, "env"),
                entrypoint=texts(config, "entrypoint"),
                debug_items=texts(debug, "items"),
                debug_env=texts(debug, "env"),
                debug_entrypoint=texts(debug, "entrypoint"),
                copied=tuple(_copied(client, known, base.stand_in.get("copy"))),
            )
        return families[name]

    return {family(name): references for name, references in wanted.items()}


def _copied(client: docker.DockerClient, known: Mapping[str, Composition], copy: object) -> Iterator[Entry]:
    """Take files out of another stand-in, without running it."""
    if not isinstance(copy, dict):
        return
    source = known[copy["from"]]
    (reference,) = source.base.references
    container = client.containers.create(source.image(reference))
    try:
        for target, origin in copy["files"].items():
            stream, _ = container.get_archive(origin)
            with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
                member = tar.getmembers()[0]
                content = tar.extractfile(member)
                path = target.strip("/")
                yield from folders(path.rpartition("/")[0])
                yield Entry.file(path, content.read() if content else b"", member.mode & 0o777)
    finally:
        container.remove(force=True)


def _load(client: docker.DockerClient, archive: Path) -> None:
    try:
        with archive.open("rb") as file:
            client.images.load(file)
    except docker.errors.DockerException as error:
        failed = "the distroless stand-ins could not be loaded into the engine"
        raise BaseError(failed, seen=str(error), why=WHY, do=DO) from error
