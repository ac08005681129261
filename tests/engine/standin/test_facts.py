"""The distroless stand-ins have the files, modes, owners and settings of the real images."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from itertools import pairwise

import docker
import pytest

from stageproof.catalog import Catalog
from stageproof.engine.standin.composition import LABEL, compositions
from stageproof.engine.standin.families import packages_of
from stageproof.model import StandIn

from .conftest import SavedImage

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CA = "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
FAMILIES = ("static", "base-nossl", "base", "cc", "python3", "nodejs26", "java-base")
TAGS = ("nonroot", "debug-nonroot")
ALL = [(family, tag) for family in FAMILIES for tag in TAGS]

Saved = Callable[[str], SavedImage]


def _reference(family: str, tag: str) -> str:
    return f"gcr.io/distroless/{family}-debian13:{tag}"


@pytest.fixture(params=ALL, ids=":".join)
def image(request: pytest.FixtureRequest, saved: Saved) -> SavedImage:
    """Give each distroless stand-in."""
    return saved(_reference(*request.param))


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    """Give the name of each family."""
    return str(request.param)


def _facts(image: SavedImage, path: str) -> tuple[int, int, int]:
    member = image.members[path]
    return member.mode, member.uid, member.gid


@pytest.mark.parametrize(
    ("path", "mode", "owner"),
    [
        ("/", 0o755, 0),
        ("/etc/passwd", 0o644, 0),
        ("/etc/group", 0o644, 0),
        ("/root", 0o700, 0),
        ("/home", 0o755, 0),
        ("/home/nonroot", 0o700, 65532),
        ("/tmp", 0o1777, 0),
        ("/etc/nsswitch.conf", 0o644, 0),
        ("/etc/ssl/certs/ca-certificates.crt", 0o644, 0),
    ],
)
def test_modes_and_owners_are_those_of_distroless(image: SavedImage, path: str, mode: int, owner: int) -> None:
    assert _facts(image, path) == (mode, owner, owner)


def test_the_users_are_root_nobody_and_nonroot(image: SavedImage) -> None:
    assert image.text("/etc/passwd") == (
        "root:x:0:0:root:/root:/sbin/nologin\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"
        "nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"
    )
    assert "/usr/sbin/nologin" not in image.members


def test_the_groups_are_the_five_of_distroless(image: SavedImage) -> None:
    assert image.text("/etc/group") == "root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n"


def test_there_is_no_shadow_file_no_package_database_and_no_shell(image: SavedImage) -> None:
    absent = {
        "/etc/shadow",
        "/etc/gshadow",
        "/var/lib/dpkg/status",
        "/var/lib/dpkg/info",
        "/usr/bin/sh",
        "/usr/bin/bash",
    }
    assert not absent & set(image.members)


def test_name_services_are_asked_in_debians_order(image: SavedImage) -> None:
    lines = image.text("/etc/nsswitch.conf").splitlines()
    assert all(line.startswith("#") for line in lines[:5])
    order = {name: text.split() for name, _, text in (line.partition(":") for line in lines[5:] if line)}
    assert order["passwd"] == order["group"] == order["shadow"] == ["compat"]
    assert order["gshadow"] == order["networks"] == ["files"]
    assert order["hosts"] == ["files", "dns"]
    assert order["protocols"] == order["services"] == order["ethers"] == order["rpc"] == ["db", "files"]
    assert order["netgroup"] == ["nis"]


def test_os_release_says_distroless_and_etc_only_links_to_it(image: SavedImage) -> None:
    lines = image.text("/usr/lib/os-release").splitlines()
    assert all(re.fullmatch(r'[A-Z_]+="[^"]*"', line) for line in lines)
    keys = [line.partition("=")[0] for line in lines]
    assert keys == ["PRETTY_NAME", "NAME", "ID", "VERSION_ID", "VERSION", "HOME_URL", "SUPPORT_URL", "BUG_REPORT_URL"]
    assert lines[:5] == [
        'PRETTY_NAME="Distroless"',
        'NAME="Debian GNU/Linux"',
        'ID="debian"',
        'VERSION_ID="13"',
        'VERSION="Debian GNU/Linux 13 (trixie)"',
    ]
    assert image.members["/etc/os-release"].linkname == "../usr/lib/os-release"


def test_certificates_are_one_bundle_without_hashed_links(image: SavedImage) -> None:
    bundle = image.text("/etc/ssl/certs/ca-certificates.crt")
    assert bundle.count("-----BEGIN CERTIFICATE-----") == bundle.count("-----END CERTIFICATE-----") > 100
    expected = {
        "/etc/ssl/certs",
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/ssl/certs/java",
        "/etc/ssl/certs/java/cacerts",
    }
    assert {path for path in image.members if path.startswith("/etc/ssl/certs")} <= expected
    assert not any(path.startswith("/usr/share/ca-certificates") for path in image.members)
    assert "/usr/share/doc/ca-certificates/copyright" in image.members


def test_bin_sbin_and_lib_are_links_into_usr(image: SavedImage) -> None:
    links = {path: image.members[path].linkname for path in ("/bin", "/sbin", "/lib", "/lib64")}
    assert links == {"/bin": "usr/bin", "/sbin": "usr/sbin", "/lib": "usr/lib", "/lib64": "usr/lib64"}
    assert not any(path.startswith(("/bin/", "/sbin/", "/lib/", "/lib64/")) for path in image.members)


def test_every_time_is_the_epoch(image: SavedImage) -> None:
    assert {member.mtime for member in image.members.values()} == {0}
    assert image.config["created"] == "1970-01-01T00:00:00Z"


def test_scanners_find_exactly_the_listed_packages(family: str, saved: Saved, project: Catalog) -> None:
    known = compositions(project.bases)
    image = saved(_reference(family, "nonroot"))
    expected = {*packages_of(known[f"distroless-{family}"], known), "ca-certificates"}
    expected |= {"libc-bin"} if family == "java-base" else set()

    folder = "/var/lib/dpkg/status.d/"
    entries = {path.removeprefix(folder) for path in image.members if path.startswith(folder)}

    assert entries == expected | {f"{name}.md5sums" for name in expected}
    assert all(f"Package: {name}\n" in image.text(folder + name) for name in expected)


def test_each_package_is_a_layer_of_its_own(family: str, saved: Saved, project: Catalog) -> None:
    image = saved(_reference(family, "nonroot"))
    marks = [[path for path in layer if path.startswith("/var/lib/dpkg/status.d/")] for layer in image.layers]
    assert all(len(mark) in {0, 2} for mark in marks), "a layer has one package's two files, or none"
    known = compositions(project.bases)
    assert len(image.layers) > len(packages_of(known[f"distroless-{family}"], known))


def test_static_has_the_legacy_time_zones_too(saved: Saved) -> None:
    image = saved(_reference("static", "nonroot"))
    assert {"/usr/share/zoneinfo/Europe/Kiev", "/usr/share/zoneinfo/US/Pacific"} <= set(image.members)


def test_static_has_no_libc_and_nossl_has_no_openssl(saved: Saved) -> None:
    static, nossl, base = (saved(_reference(name, "nonroot")) for name in ("static", "base-nossl", "base"))
    assert not any("libc.so" in path for path in static.members)
    assert not any("libssl" in path or "libcrypto" in path for path in nossl.members)
    assert any(path.endswith("/libssl.so.3") for path in base.members)
    assert not any("libstdc++" in path for path in base.members)


def test_python_has_its_two_short_names_and_a_library_cache(saved: Saved) -> None:
    image = saved(_reference("python3", "nonroot"))
    for name in ("/usr/bin/python", "/usr/bin/python3"):
        assert image.members[name].linkname == "/usr/bin/python3.13"
    assert _facts(image, "/etc/ld.so.cache") == (0o644, 0, 0)
    assert image.contents["/etc/ld.so.cache"].startswith(b"glibc-ld.so.cache1.1")


def test_node_is_one_file_and_its_licence(saved: Saved) -> None:
    image = saved(_reference("nodejs26", "nonroot"))
    assert {path for path in image.members if path.startswith("/nodejs")} == {
        *("/nodejs", "/nodejs/bin", "/nodejs/bin/node", "/nodejs/LICENSE")
    }
    assert _facts(image, "/nodejs/bin/node") == (0o755, 0, 0)


def test_java_has_a_key_store_with_every_certificate_and_the_locale(saved: Saved) -> None:
    image = saved(_reference("java-base", "nonroot"))
    magic, version, entries = struct.unpack_from(">III", image.contents["/etc/ssl/certs/java/cacerts"])
    assert (magic, version) == (0xFEEDFEED, 2)
    assert entries == image.text("/etc/ssl/certs/ca-certificates.crt").count("-----BEGIN CERTIFICATE-----")
    assert {"/usr/lib/locale/C.utf8/LC_CTYPE", "/usr/share/doc/libc-bin/copyright"} <= set(image.members)
    assert "/usr/bin/ldd" not in image.members, "only the locale of libc-bin is there"


@pytest.mark.parametrize("family", FAMILIES)
def test_debug_is_the_same_plus_busybox_and_its_links(family: str, saved: Saved) -> None:
    plain, debug = (saved(_reference(family, tag)) for tag in TAGS)
    added = {path: debug.members[path] for path in set(debug.members) - set(plain.members)}

    assert set(plain.members) <= set(debug.members)
    assert all(plain.contents[path] == debug.contents[path] for path in plain.members)
    assert _facts(debug, "/busybox") == _facts(debug, "/busybox/busybox") == (0o755, 0, 0)
    links = {path: member for path, member in added.items() if path not in {"/busybox", "/busybox/busybox"}}
    assert all(member.issym() and member.linkname == "/busybox/busybox" for member in links.values())
    assert {"/busybox/sh", "/busybox/wget", "/busybox/ls"} <= set(links)


@pytest.mark.parametrize(
    ("family", "env", "entrypoint"),
    [
        *((family, [], None) for family in ("static", "base-nossl", "base", "cc")),
        ("python3", ["LANG=C.UTF-8"], ["/usr/bin/python3.13"]),
        ("nodejs26", [], ["/nodejs/bin/node"]),
        ("java-base", ["LANG=C.UTF-8"], None),
    ],
)
def test_settings_are_those_of_distroless(
    family: str, env: list[str], entrypoint: list[str] | None, saved: Saved
) -> None:
    plain, debug = (saved(_reference(family, tag)).settings for tag in TAGS)

    assert plain["Env"] == [PATH, CA, *env]
    assert debug["Env"] == [f"{PATH}:/busybox", CA, *env]
    assert plain.get("Entrypoint") == entrypoint
    assert debug.get("Entrypoint") == (entrypoint or ["/busybox/sh"]), "a language keeps its own entry point"
    for settings in (plain, debug):
        assert settings.get("Cmd") is None
        assert settings["User"] == "65532", "the number only"
        assert settings["WorkingDir"] == "/home/nonroot"


def test_every_stand_in_says_what_it_is_and_has_no_upstream_name(
    stand_ins: Mapping[str, StandIn], client: docker.DockerClient, project: Catalog
) -> None:
    upstream = {reference for base in project.bases for reference in base.references}
    assert set(stand_ins) == upstream
    for reference, stand_in in stand_ins.items():
        image = client.images.get(stand_in.image)
        assert image.labels[LABEL] == f"stand-in for {reference}; not the real image"
        assert image.id == stand_in.image_id
        assert not upstream & set(image.tags)
        assert stand_in.differs


def test_layers_of_parents_come_first(saved: Saved) -> None:
    lineage = [saved(_reference(name, "nonroot")) for name in ("static", "base", "cc", "python3")]
    for parent, child in pairwise(lineage):
        digests = [each.config["rootfs"]["diff_ids"] for each in (parent, child)]
        assert digests[1][: len(digests[0])] == digests[0]
