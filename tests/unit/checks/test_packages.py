"""What distributions bring: unchanged files, licences, certificates, support; and what should not have come along."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from stageproof.checks import load
from stageproof.checks.subject import Subject
from stageproof.image import Image, kept
from stageproof.model import Finding, Verdict

if TYPE_CHECKING:
    from tests.unit.conftest import Images, Member

STATUS = "var/lib/dpkg/status"
CERTIFICATES = b"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n" * 12
BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def decide(claim: str, image: Image, subject: dict[str, Any] | None = None, **parameters: object) -> Finding:
    return load(claim).check(Subject(image, **(subject or {})), **parameters)


def verdict(claim: str, image: Image, subject: dict[str, Any] | None = None, **parameters: object) -> Verdict:
    return decide(claim, image, subject, **parameters).verdict


def paths(finding: Finding) -> list[str]:
    return [evidence.path for evidence in finding.evidence]


def package(images: Images, name: str, *files: tuple[str, bytes], source: str = "") -> list[Member]:
    """Make the records of an installed Debian package: its line in status is made by `status`."""
    sums = "".join(f"{hashlib.md5(data, usedforsecurity=False).hexdigest()}  {path}\n" for path, data in files)
    about = f"Package: {name}\nStatus: install ok installed\n" + (f"Source: {source}\n" if source else "")
    return [
        images.file(f"var/lib/dpkg/status.d/{name}", about.encode()),
        images.file(f"var/lib/dpkg/status.d/{name}.md5sums", sums.encode()),
    ]


# --- packages-unmodified


def test_files_as_their_package_brought_them_are_unmodified(images: Images) -> None:
    records = package(images, "libc6", ("usr/lib/libc.so.6", b"libc"), ("usr/share/doc/libc6/gone", b"left out"))
    finding = decide("packages-unmodified", images.app(*records, images.file("usr/lib/libc.so.6", b"libc")))
    assert finding.verdict is Verdict.PASS
    assert finding.message.endswith("1 files of 1 packages")


def test_a_changed_file_is_named_with_its_package_and_its_layer(images: Images) -> None:
    records = package(images, "libc6", ("usr/lib/libc.so.6", b"libc"))
    below = [images.file("run", images.elf(), 0o755), *records, images.file("usr/lib/libc.so.6", b"libc")]
    image = images.image(below, [images.file("usr/lib/libc.so.6", b"evil")], Entrypoint=["/run"])
    finding = decide("packages-unmodified", image)
    assert finding.verdict is Verdict.FAIL
    assert (finding.evidence[0].path, finding.evidence[0].layer) == ("/usr/lib/libc.so.6", 2)
    assert finding.evidence[0].text == "other bytes than the package libc6 brought"
    assert verdict("packages-unmodified", image, allowed=["/usr/lib/libc*"]) is Verdict.UNKNOWN


def test_links_of_folders_diversions_and_lists_of_dpkg_itself_are_followed(images: Images) -> None:
    status = images.file(
        STATUS, b"Package: dash\nStatus: install ok installed\n\nPackage: x\nStatus: deinstall ok config-files\n"
    )
    sums = f"{hashlib.md5(b'dash', usedforsecurity=False).hexdigest()}  bin/sh\n".encode()
    listed = images.file("var/lib/dpkg/info/dash:amd64.md5sums", sums)
    diverted = images.file("var/lib/dpkg/diversions", b"/bin/sh\n/bin/sh.distrib\nbash\n")
    members = [images.link("bin", "usr/bin"), status, listed, diverted]
    good = images.app(*members, images.file("usr/bin/sh.distrib", b"dash"), images.file("usr/bin/sh", b"bash"))
    assert verdict("packages-unmodified", good) is Verdict.PASS
    bad = images.app(*members, images.file("usr/bin/sh.distrib", b"evil"))
    assert paths(decide("packages-unmodified", bad)) == ["/usr/bin/sh.distrib"]


def test_without_packages_it_is_not_judged_and_without_sums_it_stays_open(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verdict("packages-unmodified", images.app()) is Verdict.NOT_APPLICABLE
    assert verdict("packages-unmodified", images.app(images.file("lib/apk/db/installed"))) is Verdict.UNKNOWN
    assert verdict("packages-unmodified", images.app(*package(images, "libc6"))) is Verdict.UNKNOWN
    records = package(images, "libc6", ("usr/lib/a", b"a"), ("usr/lib/b", b"b"))
    monkeypatch.setattr(kept, "LARGEST", 60)
    unread = decide("packages-unmodified", images.app(*records, images.file("usr/lib/a", b"a")))
    assert unread.verdict is Verdict.UNKNOWN
    assert "/var/lib/dpkg/status.d/libc6.md5sums" in unread.evidence[0].text


# --- licences-present


def test_each_package_has_its_licence_or_that_of_a_package_from_the_same_source(images: Images) -> None:
    records = [*package(images, "libpython3"), *package(images, "python3-venv", source="libpython3")]
    text = images.file("usr/share/doc/libpython3/copyright", b"PSF")
    link = images.link("usr/share/doc/python3-venv", "nowhere")
    assert verdict("licences-present", images.app(*records, text, link)) is Verdict.PASS
    finding = decide("licences-present", images.app(*records, link))
    assert [evidence.text for evidence in finding.evidence] == [
        "no licence of the package libpython3",
        "no licence of the package python3-venv",
    ]
    empty = images.file("usr/share/doc/libpython3/copyright", b"")
    assert verdict("licences-present", images.app(*records, empty)) is Verdict.FAIL
    folder = images.file("licenses/libpython3/LICENSE", b"PSF")
    assert verdict("licences-present", images.app(*records, folder)) is Verdict.PASS
    assert verdict("licences-present", images.app()) is Verdict.NOT_APPLICABLE


# --- certificates-present


def test_a_bundle_that_the_user_may_read_is_enough(images: Images) -> None:
    assert verdict("certificates-present", images.app(images.file(BUNDLE, CERTIFICATES))) is Verdict.PASS
    linked = images.app(
        images.link("etc/ssl/cert.pem", "/etc/pki/tls/cert.pem"), images.file("etc/pki/tls/cert.pem", CERTIFICATES)
    )
    assert verdict("certificates-present", linked) is Verdict.PASS


def test_no_bundle_a_small_one_and_a_closed_one_fail(images: Images) -> None:
    assert verdict("certificates-present", images.app()) is Verdict.FAIL
    assert verdict("certificates-present", images.app(images.file(BUNDLE, b"-----BEGIN CERT"))) is Verdict.FAIL
    assert verdict("certificates-present", images.app(images.file(BUNDLE, CERTIFICATES)), least=100) is Verdict.FAIL
    closed = decide("certificates-present", images.app(images.file(BUNDLE, CERTIFICATES, 0o600)))
    assert "not readable for uid 65532 (mode 0600)" in closed.evidence[0].text
    assert closed.verdict is Verdict.FAIL
    folder = images.app(images.folder("etc/ssl", 0o700), images.file(BUNDLE, CERTIFICATES))
    assert verdict("certificates-present", folder) is Verdict.FAIL


def test_the_variable_of_openssl_decides_where_to_look(images: Images) -> None:
    image = images.app(images.file(BUNDLE, CERTIFICATES), Env=["SSL_CERT_FILE=/app/gone.pem"])
    finding = decide("certificates-present", image)
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence[0].text == "not there: /app/gone.pem, which SSL_CERT_FILE names"


def test_an_unknown_user_or_an_unread_bundle_leaves_the_certificates_open(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verdict("certificates-present", images.app(images.file(BUNDLE, CERTIFICATES), User="x")) is Verdict.UNKNOWN
    monkeypatch.setattr(kept, "LARGEST", 100)
    assert verdict("certificates-present", images.app(images.file(BUNDLE, CERTIFICATES + b"\n"))) is Verdict.UNKNOWN


# --- base-in-support


def release(images: Images, text: str) -> Image:
    return images.app(
        images.link("etc/os-release", "../usr/lib/os-release"), images.file("usr/lib/os-release", text.encode())
    )


@pytest.mark.parametrize(
    ("text", "day", "expected"),
    [
        ('ID=debian\nVERSION_ID="13"\n', "2028-08-09", Verdict.PASS),
        ('ID=debian\nVERSION_ID="13"\n', "2028-08-10", Verdict.FAIL),
        ("ID=debian\nVERSION_ID=9\n", "2026-01-01", Verdict.FAIL),
        ("ID='alpine'\nVERSION_ID=3.22.1\n", "2026-01-01", Verdict.PASS),
        ("ID=rhel\nVERSION_ID='9.4'\n", "2026-01-01", Verdict.PASS),
        ("ID=debian\nVERSION_CODENAME=sid\n", "2026-01-01", Verdict.UNKNOWN),
        ("ID=plan9\nVERSION_ID=4\n", "2026-01-01", Verdict.UNKNOWN),
    ],
)
def test_a_release_is_in_support_until_its_last_day(images: Images, text: str, day: str, expected: Verdict) -> None:
    assert verdict("base-in-support", release(images, text), today=day) is expected


def test_support_can_be_asked_for_some_days_ahead_and_is_asked_for_today(images: Images) -> None:
    image = release(images, "ID=debian\nVERSION_ID=13\n")
    assert verdict("base-in-support", image, today="2028-08-01", days=30) is Verdict.FAIL
    assert verdict("base-in-support", release(images, "ID=debian\nVERSION_ID=9\n")) is Verdict.FAIL


def test_without_an_operating_system_it_is_not_judged_and_packages_without_one_stay_open(images: Images) -> None:
    assert verdict("base-in-support", images.app()) is Verdict.NOT_APPLICABLE
    assert verdict("base-in-support", images.app(*package(images, "libc6"))) is Verdict.UNKNOWN


# --- no-build-leftovers, no-other-interpreter, variant-subset


LEFT = (
    "app/.git/HEAD root/.aws/config app/.vscode/settings.json app/Dockerfile app/prod.Dockerfile app/compose.yaml"
    " app/.DS_Store root/.bash_history usr/include/stdio.h usr/lib/libc.a app/main.o"
)


@pytest.mark.parametrize("path", LEFT.split())
def test_what_only_developers_need_is_named(images: Images, path: str) -> None:
    assert verdict("no-build-leftovers", images.app(images.file(path))) is Verdict.FAIL
    assert verdict("no-build-leftovers", images.app(images.file(path)), allowed=[f"/{path}"]) is Verdict.PASS


def test_a_folder_of_tools_is_named_once_and_a_base_s_headers_can_be_left_to_it(images: Images) -> None:
    git = images.app(images.file("app/.git/HEAD"), images.file("app/.git/refs/a"))
    assert paths(decide("no-build-leftovers", git)) == ["/app/.git/HEAD"]
    header = [images.file("usr/include/a.h")]
    image = images.image(header, [images.file("run", images.elf(), 0o755)], Entrypoint=["/run"])
    subject = {"bases": {"base:1": images.image(header)}}
    assert verdict("no-build-leftovers", image, subject) is Verdict.FAIL
    assert verdict("no-build-leftovers", image, subject, base_may=True) is Verdict.PASS
    assert verdict("no-build-leftovers", images.app(images.folder("app/.git"), images.link("a.h", "b"))) is Verdict.PASS


def test_the_app_s_own_interpreter_is_meant_and_another_is_named(images: Images) -> None:
    node = images.file("usr/bin/node", images.elf(text=b"node"), 0o755)
    image = images.app(node, images.file("app/main.js"), Entrypoint=["/usr/bin/node", "/app/main.js"])
    assert verdict("no-other-interpreter", image) is Verdict.PASS
    perl = images.file("usr/bin/perl5.40.1", images.elf(text=b"perl"), 0o755)
    assert paths(decide("no-other-interpreter", images.app(node, perl))) == ["/usr/bin/node", "/usr/bin/perl5.40.1"]
    assert verdict("no-other-interpreter", images.app(perl), allowed=["/usr/bin/perl*"]) is Verdict.PASS
    assert verdict("no-other-interpreter", images.app(images.file("doc/perl", b"text", 0o755))) is Verdict.PASS


def test_the_health_check_s_interpreter_is_meant_too(images: Images) -> None:
    python = images.file("usr/bin/python3", images.elf(text=b"py"), 0o755)
    health = {"Test": ["CMD", "/usr/bin/python3", "-c", "0"]}
    assert verdict("no-other-interpreter", images.app(python, Healthcheck=health)) is Verdict.PASS


def test_the_app_of_a_smaller_variant_is_the_same_as_in_the_larger(images: Images) -> None:
    larger = images.app(images.file("app/a"), images.file("app/test.c"), images.file("app/c.aot", b"1"))
    subject = {"siblings": {"multistage": larger}}
    assert verdict("variant-subset", images.app(images.file("app/a")), subject) is Verdict.PASS
    assert verdict("variant-subset", images.app(images.file("app/a"))) is Verdict.UNKNOWN
    assert verdict("variant-subset", images.app(), subject, app="/srv") is Verdict.UNKNOWN
    other = images.app(images.file("app/a", b"other"), images.file("app/new"), images.file("app/c.aot", b"2"))
    finding = decide("variant-subset", other, subject)
    assert {evidence.path: evidence.text for evidence in finding.evidence} == {
        "/app/a": "other bytes than there",
        "/app/c.aot": "other bytes than there",
        "/app/new": "not in the larger variant",
    }
    free = decide("variant-subset", other, subject, varying=["/app/*.aot"], own=["/app/new"])
    assert paths(free) == ["/app/a"]
    link = decide("variant-subset", images.app(images.link("app/a", "/x")), subject)
    assert link.evidence[0].text == "a link /x, and a file there"
