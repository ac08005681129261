"""The packages of an image, as its own records say."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from stageproof.image import Image, go_modules, packages
from tests.unit.conftest import Images

STATUS = b"""Package: bash
Status: install ok installed
Version: 5.2-1
Description: a shell
 with a second line: not a field

Package: gone
Status: deinstall ok config-files
Version: 1

Package: held
Status: hold ok installed
Version: 2:3~rc1
"""
APK = b"""C:Q1abc=
P:musl
V:1.2.5-r0
F:lib
R:ld-musl-x86_64.so.1

P:busybox
V:1.36.1-r29
"""


def named(image: Image) -> list[tuple[str, str, str]]:
    return [(one.ecosystem, one.name, one.version) for one in packages.installed(image)]


def jar(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def pom(group: str, artifact: str, version: str) -> dict[str, bytes]:
    text = f"#Generated\nversion={version}\ngroupId={group}\nartifactId={artifact}\n"
    return {f"META-INF/maven/{group}/{artifact}/pom.properties": text.encode()}


def test_debian_packages_are_those_that_dpkg_says_are_installed(images: Images) -> None:
    image = images.image([images.file("var/lib/dpkg/status", STATUS)])
    assert named(image) == [("deb", "bash", "5.2-1"), ("deb", "held", "2:3~rc1")]
    assert packages.installed(image)[0].path == "/var/lib/dpkg/status"


def test_distroless_packages_are_read_from_a_file_each(images: Images) -> None:
    image = images.image(
        [
            images.file("var/lib/dpkg/status.d/tzdata", b"Package: tzdata\nVersion: 2026a\n"),
            images.file("var/lib/dpkg/status.d/tzdata.md5sums", b"0123  usr/share/zoneinfo/UTC\n"),
        ]
    )
    assert named(image) == [("deb", "tzdata", "2026a")]


def test_alpine_packages_are_read(images: Images) -> None:
    image = images.image([images.file("lib/apk/db/installed", APK)])
    assert named(image) == [("apk", "busybox", "1.36.1-r29"), ("apk", "musl", "1.2.5-r0")]


def test_python_packages_are_named_in_one_form(images: Images) -> None:
    metadata = b"Metadata-Version: 2.1\nName: Foo_Bar.baz\nVersion: 1.0\n\nVersion: of the description\n"
    image = images.image([images.file("usr/lib/python3/Foo_Bar.baz-1.0.dist-info/METADATA", metadata)])
    assert named(image) == [("python", "foo-bar-baz", "1.0")]


def test_node_packages_are_those_below_node_modules(images: Images) -> None:
    about = json.dumps({"name": "@s/x", "version": "1.2.3"}).encode()
    image = images.image(
        [
            images.file("app/package.json", about),
            images.file("app/node_modules/@s/x/package.json", about),
            images.file("app/node_modules/@s/x/lib/package.json", b'{"type": "module"}'),
            images.file("app/node_modules/y/node_modules/@s/x/package.json", about),
            images.file("app/node_modules/broken/package.json", b"{"),
        ]
    )
    assert [one.path for one in packages.installed(image)] == [
        "/app/node_modules/@s/x/package.json",
        "/app/node_modules/y/node_modules/@s/x/package.json",
    ]


def test_a_jar_says_by_its_coordinates_what_it_is_and_what_is_in_it(images: Images) -> None:
    inner = jar(**pom("org.inner", "inner", "2.0"))
    outer = jar(
        **pom("org.app", "app", "1.0"), **{"BOOT-INF/lib/inner-2.0.jar": inner, "BOOT-INF/lib/plain-3.jar": jar()}
    )
    image = images.image([images.file("app/app.jar", outer)])
    assert named(image) == [("java", "org.app:app", "1.0"), ("java", "org.inner:inner", "2.0"), ("java", "plain", "3")]


def test_a_jar_without_coordinates_is_called_by_its_file_and_then_by_its_manifest(images: Images) -> None:
    manifest = b"Manifest-Version: 1.0\r\nImplementation-Title: A very\r\n  long name\r\nImplementation-Version: 4\r\n"
    image = images.image(
        [
            images.file("a/lib-1.5.jar", jar(**{"META-INF/MANIFEST.MF": manifest})),
            images.file("a/lib.jar", jar(**{"META-INF/MANIFEST.MF": manifest})),
            images.file("a/nothing.jar", jar()),
        ]
    )
    assert named(image) == [("java", "A very long name", "4"), ("java", "lib", "1.5")]


def test_what_a_later_layer_removed_is_no_package(images: Images) -> None:
    image = images.image([images.file("var/lib/dpkg/status", STATUS)], [images.file("var/lib/dpkg/.wh.status", b"")])
    assert named(image) == []


@pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go here")
def test_a_real_go_program_tells_its_modules(images: Images, tmp_path: Path) -> None:
    needs = "require example.org/dep v1.2.3\n\nreplace example.org/dep => ./dep\n"
    (tmp_path / "go.mod").write_text(f"module example.org/app\n\ngo 1.22\n\n{needs}")
    (tmp_path / "main.go").write_text('package main\n\nimport "example.org/dep"\n\nfunc main() { println(dep.Name) }\n')
    (tmp_path / "dep").mkdir()
    (tmp_path / "dep/go.mod").write_text("module example.org/dep\n\ngo 1.22\n")
    (tmp_path / "dep/dep.go").write_text('package dep\n\nvar Name = "dep"\n')
    environment = {"PATH": f"{Path(shutil.which('go') or '').parent}:/usr/bin:/bin", "HOME": str(tmp_path / "home")}
    environment |= {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    subprocess.run(["go", "build", "-o", "app", "."], cwd=tmp_path, env=environment, check=True, capture_output=True)
    told = subprocess.run(["go", "version", "app"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    data = (tmp_path / "app").read_bytes()
    image = images.image([images.file("app/app", data, 0o755)])
    found = named(image)
    assert ("go", "stdlib", told.stdout.decode().split()[-1].removeprefix("go")) in found
    assert ("go", "example.org/app", "(devel)") in found
    assert ("go", "./dep", "(devel)") in found
    assert "example.org/dep" not in [name for _, name, _ in found]
    stripped = data.replace(go_modules.MAGIC, b"\0" * len(go_modules.MAGIC))
    assert go_modules.modules(stripped) == ()


@pytest.mark.parametrize(
    "data",
    [
        go_modules.MAGIC,
        go_modules.MAGIC + b"\x08\x02",
        go_modules.MAGIC + b"\x08\x02" + bytes(16) + b"\xff" * 100,
        go_modules.MAGIC + b"\x08\x02" + bytes(16) + b"\xff\xff\xff\x7fgo1",
        go_modules.MAGIC + b"\x08\x00" + bytes(100),
        (go_modules.MAGIC + b"\x08\x02") * 1000,
    ],
)
def test_damaged_build_information_is_none(data: bytes) -> None:
    assert go_modules.modules(data) == ()


def test_build_information_in_another_place_than_its_alignment_is_passed_over() -> None:
    right = go_modules.MAGIC + b"\x08\x02" + bytes(16) + b"\x06go1.99" + bytes([33]) + bytes(16) + b"x" + bytes(16)
    assert go_modules.modules(b"1" * 16 + right) == (("stdlib", "1.99"),)
    assert go_modules.modules(b"1" * 7 + right) == ()
