"""Layers and archives are written so that an engine takes them, and in the same bytes each time."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from stageproof.engine.standin.debian_package import DebianPackage
from stageproof.engine.standin.distroless import ComposedImage, Composer, Family, write_archive
from stageproof.engine.standin.items import Material
from stageproof.engine.standin.layer import Entry, write_layer


def _package(name: str, *entries: Entry) -> DebianPackage:
    return DebianPackage(name, "1", f"Package: {name}\n".encode(), b"", entries)


STATIC = Family(
    name="static",
    parent=None,
    packages=("base-files",),
    items=("rootfs", "passwd"),
    env=("PATH=/bin",),
    debug_items=("busybox",),
    debug_env=("PATH=/bin:/busybox",),
    debug_entrypoint=("/busybox/sh",),
)
CC = Family(name="cc", parent=STATIC, packages=("libc6", "zlib1g"))
LANGUAGE = Family(
    name="language", parent=CC, packages=("zlib1g",), env=("LANG=C.UTF-8",), entrypoint=("/bin/language",)
)


@pytest.fixture
def composer(tmp_path: Path) -> Composer:
    packages = (
        _package("base-files", Entry.link("lib", "usr/lib")),
        _package("libc6", Entry.directory("lib"), Entry.file("lib/libc.so.6", b"libc")),
        _package("zlib1g", Entry.file("usr/lib/libz.so.1", b"zlib")),
        _package("busybox-static", Entry.file("usr/bin/busybox", b"box", 0o755)),
    )
    return Composer(Material({each.name: each for each in packages}, ("busybox", "sh"), b""), tmp_path, "amd64")


def _settings(image: ComposedImage) -> dict[str, object]:
    settings: dict[str, object] = json.loads(image.config)["config"]
    return settings


@pytest.mark.parametrize(
    ("tag", "user", "folder"),
    [
        ("latest", "0", "/"),
        ("debug", "0", "/"),
        ("nonroot", "65532", "/home/nonroot"),
        ("debug-nonroot", "65532", "/home/nonroot"),
    ],
)
def test_the_tag_decides_user_and_working_directory(composer: Composer, tag: str, user: str, folder: str) -> None:
    settings = _settings(composer.compose(CC, tag, "x", {}))

    assert (settings["User"], settings["WorkingDir"]) == (user, folder)


@pytest.mark.parametrize(
    ("family", "tag", "entrypoint"),
    [
        (CC, "nonroot", None),
        (CC, "debug", ["/busybox/sh"]),
        (LANGUAGE, "nonroot", ["/bin/language"]),
        (LANGUAGE, "debug", ["/bin/language"]),
    ],
)
def test_a_language_keeps_its_entry_point_in_debug(
    composer: Composer, family: Family, tag: str, entrypoint: list[str] | None
) -> None:
    assert _settings(composer.compose(family, tag, "x", {})).get("Entrypoint") == entrypoint


def test_settings_of_a_parent_are_inherited_and_debug_puts_busybox_last_on_the_path(composer: Composer) -> None:
    assert _settings(composer.compose(LANGUAGE, "nonroot", "x", {}))["Env"] == ["PATH=/bin", "LANG=C.UTF-8"]
    assert _settings(composer.compose(LANGUAGE, "debug", "x", {}))["Env"] == ["PATH=/bin:/busybox", "LANG=C.UTF-8"]


def test_each_package_and_each_item_is_a_layer_in_the_order_of_the_lists(composer: Composer) -> None:
    notes = [layer.note for layer in composer.compose(LANGUAGE, "debug", "x", {}).layers]

    assert notes == [
        "Debian package base-files 1",
        "distroless: rootfs",
        "distroless: passwd",
        "distroless: busybox",
        "Debian package libc6 1",
        "Debian package zlib1g 1",
        "Debian package zlib1g 1",
    ]


def test_only_base_files_keeps_the_links_of_the_merged_usr(composer: Composer) -> None:
    layers = {layer.note: layer for layer in composer.compose(CC, "nonroot", "x", {}).layers}

    with tarfile.open(layers["Debian package base-files 1"].file) as tar:
        assert tar.getmember("./lib").issym()
    with tarfile.open(layers["Debian package libc6 1"].file) as tar:
        assert "./lib" not in tar.getnames()
        assert "./usr/lib/libc.so.6" in tar.getnames()


def test_an_archive_names_a_package_twice_if_an_image_has_it_twice(composer: Composer, tmp_path: Path) -> None:
    images = [composer.compose(family, "nonroot", f"x/{family.name}:1", {}) for family in (CC, LANGUAGE)]
    write_archive(images, tmp_path / "images.tar")

    with tarfile.open(tmp_path / "images.tar") as tar:
        manifest = json.load(tar.extractfile("manifest.json") or pytest.fail("there is no manifest"))
        names = tar.getnames()
    assert len(names) == len(set(names)), "an engine refuses an archive that has a name twice"
    assert [each["RepoTags"] for each in manifest] == [["x/cc:1"], ["x/language:1"]]
    assert all({each["Config"], *each["Layers"]} <= set(names) for each in manifest)
    assert all(len(set(each["Layers"])) == len(each["Layers"]) for each in manifest)


def test_a_layer_has_the_same_digest_each_time_and_the_epoch_as_its_only_time(tmp_path: Path) -> None:
    entries = [Entry.directory("etc"), Entry.file("etc/x", b"1"), Entry.directory("etc"), Entry.link("y", "etc/x")]
    first, second = (write_layer(entries, tmp_path, note) for note in ("one", "two"))

    assert first.digest == second.digest
    with tarfile.open(first.file) as tar:
        assert [member.name for member in tar] == ["./etc", "./etc/x", "./y"], "a folder is named once"
        assert {(member.mtime, member.uid, member.uname) for member in tar} == {(0, 0, "")}
