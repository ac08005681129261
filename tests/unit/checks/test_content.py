"""Users, files, secrets, caches, sources, sizes: each claim passes, fails, and stays open where it must."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stageproof.checks import load
from stageproof.checks.subject import Subject
from stageproof.image import Image, Needles
from stageproof.model import Budget, Finding, Limits, Stack, Variant, Verdict

if TYPE_CHECKING:
    from tests.unit.conftest import Images

CANARY = "canary-9f2d41c8"
STACK = Stack(
    name="go",
    title="Go",
    language="Go 1",
    description="",
    folder=Path(),
    compiled=True,
    source_suffixes=(".go",),
    dev_packages=("vitest", "Py_Test", "junit-jupiter"),
    sdk="golang:1",
    limits=Limits(1, 1, 1),
    budgets={"plain": Budget(disk=2000, pull=2000)},
)
PLAIN = Variant("plain", "plain", "", "plain", {}, (), 1)


def decide(claim: str, image: Image, subject: dict[str, Any] | None = None, **parameters: object) -> Finding:
    return load(claim).check(Subject(image, **(subject or {})), **parameters)


def verdict(claim: str, image: Image, subject: dict[str, Any] | None = None, **parameters: object) -> Verdict:
    return decide(claim, image, subject, **parameters).verdict


# --- who runs it


@pytest.mark.parametrize("user", ["65532", "65532:65532", "1:0", "2147483647"])
def test_a_number_other_than_zero_is_a_good_user(images: Images, user: str) -> None:
    assert verdict("non-root-user", images.app(User=user)) is Verdict.PASS


@pytest.mark.parametrize(
    "user",
    [
        "",
        "0",
        "0:0",
        "00",
        "root",
        "root:root",
        "nonroot",
        "65532:nonroot",
        "2147483648",
        "1:2147483648",
        "-1",
        "1:",
        "٣",
    ],
)
def test_root_names_and_impossible_numbers_are_no_good_user(images: Images, user: str) -> None:
    assert verdict("non-root-user", images.app(User=user)) is Verdict.FAIL


def test_a_name_is_told_with_the_number_it_means(images: Images) -> None:
    passwd = images.file("etc/passwd", b"app:x:0:0::/:\n")
    finding = decide("non-root-user", images.app(passwd, User="app"))
    assert finding.evidence[0].text == "USER is 'app', a name and no number; in this image it is 0"


# --- what that user may write


def test_files_of_root_are_not_writable(images: Images) -> None:
    image = images.app(images.folder("tmp", 0o1777), images.link("app/l", "/tmp"), images.file("app/a"))
    assert verdict("writable-paths", image) is Verdict.PASS


@pytest.mark.parametrize(
    ("mode", "uid", "gid"), [(0o644, 65532, 0), (0o400, 65532, 0), (0o664, 0, 65532), (0o666, 0, 0)]
)
def test_files_that_the_user_owns_or_may_write_are_named(images: Images, mode: int, uid: int, gid: int) -> None:
    finding = decide("writable-paths", images.app(images.file("app/a", b"x", mode, uid, gid)))
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence[0].path == "/app/a"


def test_a_folder_that_the_user_owns_is_named_even_if_its_files_are_root_s(images: Images) -> None:
    assert verdict("writable-paths", images.app(images.folder("app", 0o755, 65532, 65532))) is Verdict.FAIL


def test_declared_paths_and_the_home_are_free_and_a_sticky_folder_below_the_app_is_not(images: Images) -> None:
    passwd = images.file("etc/passwd", b"u:x:65532:65532::/home/u:/x\n")
    home = images.folder("home/u", 0o700, 65532)
    data = images.folder("data", 0o755, 65532)
    assert verdict("writable-paths", images.app(passwd, home, data), allowed=["/data"]) is Verdict.PASS
    assert verdict("writable-paths", images.app(passwd, home, data)) is Verdict.FAIL
    assert verdict("writable-paths", images.app(images.folder("app/tmp", 0o1777))) is Verdict.FAIL


def test_a_group_by_membership_counts(images: Images) -> None:
    files = [images.file("etc/passwd", b"u:x:7:7::/h:\n"), images.file("etc/group", b"g:x:50:u\n")]
    image = images.app(*files, images.file("srv/x", b"x", 0o660, 0, 50), User="u")
    assert verdict("writable-paths", image) is Verdict.FAIL


def test_the_files_of_an_unknown_user_stay_open(images: Images) -> None:
    assert verdict("writable-paths", images.app(User="somebody")) is Verdict.UNKNOWN


# --- secrets

KEY = b"-----BEGIN RSA PRIVATE KEY-----\n" + b"MIIEpAIBAAKCAQEA7" * 20 + b"\n-----END RSA PRIVATE KEY-----\n"


def test_an_image_without_secrets_holds_none(images: Images) -> None:
    library = images.file("lib.so", images.elf(text=b"-----BEGIN RSA PRIVATE KEY-----\0%s"))
    env = ["GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305", "TOKEN_FILE=/run/secrets/token", "PASSWORD="]
    history = [{"created_by": "RUN --mount=type=secret,id=npm,env=NPM_TOKEN npm ci"}, {"created_by": "COPY x"}]
    assert verdict("no-secrets", images.app(library, Env=env, history=history)) is Verdict.PASS


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("app/key.pem", KEY),
        ("root/.ssh/id_ed25519", b"anything"),
        ("root/.docker/config.json", b"{}"),
        ("app/.npmrc", b"//registry/:_authToken=abcdef0123-abcdef0123"),
        ("app/settings", b"key = ghp_" + b"aB3" * 12),
        ("app/aws", b"AKIA" + b"Q7W8E9R0T1Y2U3I4"),
    ],
)
def test_keys_and_tokens_are_found(images: Images, path: str, data: bytes) -> None:
    finding = decide("no-secrets", images.app(images.file(path, data)))
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence[0].path == f"/{path}"


def test_an_example_key_of_a_manual_is_none(images: Images) -> None:
    assert verdict("no-secrets", images.app(images.file("doc", b"AKIAIOSFODNN7EXAMPLE"))) is Verdict.PASS


def test_a_key_that_a_later_layer_deletes_is_found(images: Images) -> None:
    run = images.file("run", images.elf(), 0o755)
    image = images.image([run, images.file("k.pem", KEY)], [images.file(".wh.k.pem", b"")], Entrypoint=["/run"])
    finding = decide("no-secrets", image)
    assert finding.verdict is Verdict.FAIL
    assert "deleted later" in finding.evidence[0].text


def test_a_key_that_the_base_brings_is_the_base_s(images: Images) -> None:
    image = images.app(images.file("usr/share/test.pem", KEY))
    assert verdict("no-secrets", image, {"bases": {"base:1": image}}) is Verdict.PASS


def test_known_test_keys_can_be_named(images: Images) -> None:
    image = images.app(images.file("lib/x/test/k.pem", KEY))
    assert verdict("no-secrets", image, known=["*/test/*.pem"]) is Verdict.PASS


@pytest.mark.parametrize("config", [{"Env": ["API_TOKEN=hunter2"]}, {"Labels": {"db_password": "hunter2"}}])
def test_a_secret_variable_or_label_is_named_and_its_value_not_shown(images: Images, config: dict[str, Any]) -> None:
    finding = decide("no-secrets", images.app(**config))
    assert finding.verdict is Verdict.FAIL
    assert "hunter2" not in str(finding)


def test_a_build_argument_in_the_history_is_found(images: Images) -> None:
    history = [{"created_by": "RUN |1 NPM_TOKEN=hunter2 /bin/sh -c npm ci"}, {"created_by": "COPY x"}]
    finding = decide("no-secrets", images.app(history=history))
    assert finding.evidence[0].text == "NPM_TOKEN, in the history (value not shown)"


@pytest.mark.parametrize("claim", ["no-secrets", "no-canary", "no-company-ca", "writable-paths", "no-caches"])
def test_without_the_image_s_own_program_nothing_is_proved(images: Images, claim: str) -> None:
    needles = Needles.of(CANARY, [b"CERT"])
    image = images.image([images.file("a")], needles=needles, Entrypoint=["/gone"], User="1:1")
    assert verdict(claim, image, {"canary": CANARY, "company_ca": (b"CERT",)}) is Verdict.UNKNOWN


def test_the_canary_is_found_in_layers_and_in_the_configuration(images: Images) -> None:
    subject = {"canary": CANARY}
    needles = Needles.of(CANARY)
    clean = images.app(images.file("a"), needles=needles)
    in_file = images.app(images.file("a", b"x " + CANARY.encode().hex().encode()), needles=needles)
    in_label = images.app(needles=needles, Labels={"note": CANARY})
    assert verdict("no-canary", clean, subject) is Verdict.PASS
    assert decide("no-canary", in_file, subject).evidence[0].text == "the canary, in hex"
    assert decide("no-canary", in_label, subject).evidence[0].text == "the canary, in the labels"


def test_a_canary_that_was_not_looked_for_stays_open(images: Images) -> None:
    image = images.app(needles=Needles.of("another-canary-7"))
    assert verdict("no-canary", image, {"canary": CANARY}) is Verdict.UNKNOWN
    assert verdict("no-canary", image) is Verdict.NOT_APPLICABLE


def test_the_company_s_certificate_is_found(images: Images) -> None:
    needles = Needles.of("", [b"MIIDcompany"])
    subject = {"company_ca": (b"MIIDcompany",)}
    bundle = images.file("etc/ssl/certs/ca.crt", b"-----BEGIN-----\nMIIDcompany\n")
    assert verdict("no-company-ca", images.app(bundle, needles=needles), subject) is Verdict.FAIL
    assert verdict("no-company-ca", images.app(needles=needles), subject) is Verdict.PASS
    assert verdict("no-company-ca", images.app(), subject) is Verdict.UNKNOWN
    assert verdict("no-company-ca", images.app()) is Verdict.NOT_APPLICABLE


# --- left-overs


@pytest.mark.parametrize(
    "path",
    [
        "var/lib/apt/lists/mirror_dists_trixie_main_binary-amd64_Packages.lz4",
        "var/cache/apt/archives/x.deb",
        "root/.cache/pip/http/a",
        "home/u/.npm/_cacache/a",
        "go/pkg/mod/cache/download/x",
        "go/pkg/mod/github.com/a/b@v1.2.3/x.go",
        "root/.m2/repository/a/a.jar",
    ],
)
def test_caches_are_found(images: Images, path: str) -> None:
    assert verdict("no-caches", images.app(images.file(path))) is Verdict.FAIL


def test_byte_code_locks_signatures_and_empty_folders_are_no_cache(images: Images) -> None:
    image = images.app(
        images.file("app/__pycache__/a.pyc"),
        images.file("var/lib/apt/lists/lock", b""),
        images.file("var/lib/apt/lists/mirror_dists_trixie_InRelease"),
        images.folder("var/lib/apt/lists/partial"),
        images.folder("root/.cache/pip"),
    )
    assert verdict("no-caches", image) is Verdict.PASS


def test_a_cache_that_a_later_layer_deletes_is_still_shipped(images: Images) -> None:
    base = [images.file("run", images.elf(), 0o755), images.file("root/.cache/pip/a", b"12345")]
    finding = decide("no-caches", images.image(base, [images.file("root/.cache/.wh.pip", b"")], Entrypoint=["/run"]))
    assert finding.verdict is Verdict.FAIL
    assert (finding.evidence[0].path, finding.evidence[0].size) == ("/root/.cache/pip", 5)
    assert "deleted later" in finding.evidence[0].text


def test_source_of_a_compiled_stack_is_found(images: Images) -> None:
    image = images.app(images.file("app/main.go"))
    assert verdict("no-source", image, {"stack": STACK}) is Verdict.FAIL
    assert verdict("no-source", images.app(), {"stack": STACK}) is Verdict.PASS
    assert verdict("no-source", image, {"stack": replace(STACK, compiled=False)}) is Verdict.NOT_APPLICABLE
    assert verdict("no-source", image) is Verdict.FAIL
    assert verdict("no-source", image, suffixes=[".rs"]) is Verdict.PASS


def test_development_packages_are_found_in_each_ecosystem(images: Images) -> None:
    for member in (
        images.file("app/node_modules/vitest/package.json", json.dumps({"name": "vitest"}).encode()),
        images.file("x/py_test-8.dist-info/METADATA", b"Name: py.test\nVersion: 8\n"),
        images.file("app/lib/junit-jupiter-6.0.1.jar"),
    ):
        finding = decide("no-dev-dependencies", images.app(member), {"stack": STACK})
        assert finding.verdict is Verdict.FAIL, member.path
    other = images.app(images.file("app/node_modules/fastify/package.json", b'{"name": "fastify"}'))
    assert verdict("no-dev-dependencies", other, {"stack": STACK}) is Verdict.PASS
    assert verdict("no-dev-dependencies", other) is Verdict.NOT_APPLICABLE
    assert verdict("no-dev-dependencies", other, names=["fastify"]) is Verdict.FAIL


def test_files_of_packages_of_the_base_and_of_the_app_are_explained(images: Images) -> None:
    sums = images.file("var/lib/dpkg/status.d/libc6.md5sums", b"abc  lib/libc.so.6\nabc  usr/share/doc/x y\n")
    files = [images.link("lib", "usr/lib"), images.file("usr/lib/libc.so.6"), images.file("usr/share/doc/x y")]
    base = images.image([images.link("lib", "usr/lib"), images.file("etc/passwd", b"")])
    image = images.app(sums, *files)
    alone = decide("files-explained", image)
    assert [evidence.path for evidence in alone.evidence] == ["/lib"]
    assert verdict("files-explained", image, explained=["/lib"]) is Verdict.PASS
    both = images.image(
        [images.link("lib", "usr/lib"), images.file("etc/passwd", b"")],
        [images.file("app/run", images.elf(), 0o755), sums, *files[1:]],
        Entrypoint=["/app/run"],
    )
    assert verdict("files-explained", both, {"bases": {"base:1": base}}) is Verdict.PASS
    assert verdict("files-explained", both) is Verdict.FAIL


def test_the_list_of_an_installed_package_explains_its_files(images: Images) -> None:
    listed = images.file("var/lib/dpkg/info/tar.list", b"/.\n/bin\n/bin/tar\n")
    records = images.file("var/log/dpkg.log")
    assert verdict("files-explained", images.app(listed, records, images.file("bin/tar"))) is Verdict.PASS
    assert verdict("files-explained", images.app(listed, images.file("bin/rat"))) is Verdict.FAIL


# --- debug, size, labels, tests


def test_the_debug_image_may_only_add_the_shell(images: Images) -> None:
    plain = images.app(images.file("app/a"), Env=["PATH=/bin"])
    shell = images.file("busybox/busybox", images.elf(), 0o755)
    subject = {"siblings": {"distroless": plain}}
    good = images.app(images.file("app/a"), shell, Env=["PATH=/bin:/busybox"])
    assert verdict("debug-is-shell-only", good, subject) is Verdict.PASS
    assert verdict("debug-is-shell-only", good) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("file", "config", "seen"),
    [
        ((b"other", 0o644, 0), {}, "differs in content"),
        ((b"data", 0o755, 0), {}, "mode (0755, 0644)"),
        ((b"data", 0o644, 7), {}, "owner (7:0, 0:0)"),
        ((b"data", 0o644, 0), {"Cmd": ["x"]}, "differs in cmd"),
        ((b"data", 0o644, 0), {"Env": ["A=1"]}, "in the variable A"),
    ],
)
def test_any_other_difference_of_the_debug_image_is_named(
    images: Images, file: tuple[bytes, int, int], config: dict[str, Any], seen: str
) -> None:
    plain = images.app(images.file("app/a"))
    debug = images.app(images.file("app/a", *file), **config)
    finding = decide("debug-is-shell-only", debug, {"siblings": {"distroless": plain}})
    assert finding.verdict is Verdict.FAIL
    assert seen in finding.evidence[0].text


def test_files_on_one_side_only_are_named_and_varying_bytes_can_be_declared(images: Images) -> None:
    plain = images.app(images.file("app/a.aot", b"1"), images.file("app/gone"))
    debug = images.app(images.file("app/a.aot", b"2"), images.file("app/new"))
    subject = {"siblings": {"distroless": plain}}
    found = {evidence.path: evidence.text for evidence in decide("debug-is-shell-only", debug, subject).evidence}
    assert found == {
        "/app/a.aot": "differs in content",
        "/app/gone": "only in the distroless image",
        "/app/new": "only in the debug image",
    }
    free = decide("debug-is-shell-only", debug, subject, varying=["/app/*.aot"])
    assert [evidence.path for evidence in free.evidence] == ["/app/gone", "/app/new"]


def test_a_second_build_with_the_same_files_holds_also_if_its_digest_is_another(images: Images) -> None:
    image = images.app(images.file("app/a.aot", b"1"), Labels={"build": "one"})
    finding = decide(
        "reproducible", image, {"second": images.app(images.file("app/a.aot", b"1"), Labels={"build": "two"})}
    )
    assert finding.verdict is Verdict.PASS
    assert "digests differ" in finding.message
    assert "bit for bit" in decide("reproducible", image, {"second": image}).message


def test_a_second_build_that_differs_breaks_the_claim_path_by_path(images: Images) -> None:
    image = images.app(images.file("app/a.aot", b"1"), images.file("app/log", b"10:31"), Env=["AT=1"])
    second = images.app(images.file("app/a.aot", b"2"), images.file("app/new"), Env=["AT=2"])
    found = decide("reproducible", image, {"second": second})
    assert found.verdict is Verdict.FAIL
    assert [(each.path, each.text) for each in found.evidence] == [
        ("/app/a.aot", "differs in content"),
        ("/app/log", "only in this image"),
        ("/app/new", "only in the second build"),
        ("", "the configuration differs in the variable AT"),
    ]
    free = decide("reproducible", image, {"second": second}, varying=["/app/*.aot"])
    assert "differs in content" not in {each.text for each in free.evidence}
    assert free.verdict is Verdict.FAIL


def test_what_may_vary_between_two_builds_is_told(images: Images) -> None:
    image, second = (images.app(images.file("app/a.aot", data)) for data in (b"1", b"2"))
    finding = decide("reproducible", image, {"second": second}, varying=["/app/*.aot"])
    assert finding.verdict is Verdict.PASS
    assert [(each.path, each.text) for each in finding.evidence] == [
        ("/app/a.aot", "differs in content, which the contract allows")
    ]


def test_without_a_second_build_nothing_is_known_of_it(images: Images) -> None:
    finding = decide("reproducible", images.app())
    assert (finding.verdict, finding.evidence[0].text) == (Verdict.UNKNOWN, "there is no second build")
    assert 'second = "' in finding.do


def test_the_size_budget_names_both_numbers(images: Images) -> None:
    subject = {"stack": STACK, "variant": PLAIN}
    finding = decide("size-budget", images.app(images.file("big", b"x" * 5000)), subject)
    assert finding.verdict is Verdict.FAIL
    assert "MB on disk of 0.0" in finding.message
    assert "MB to pull of 0.0" in finding.message
    assert finding.evidence[0].layer == 2
    assert verdict("size-budget", images.app(), subject) is Verdict.PASS


def test_a_size_within_the_disk_budget_can_be_too_large_to_pull(images: Images) -> None:
    noise = bytes((number * number * 7919 + number // 3) % 256 for number in range(4000))
    assert verdict("size-budget", images.app(images.file("n", noise)), disk=1, pull=0.000_5) is Verdict.FAIL


def test_an_image_without_a_budget_is_not_judged(images: Images) -> None:
    assert verdict("size-budget", images.app()) is Verdict.NOT_APPLICABLE


def test_labels_must_be_there_and_not_empty(images: Images) -> None:
    prefix = "org.opencontainers.image."
    names = ["title", "description", "version", "revision", "created", "licenses", "source", "base.name"]
    full = {prefix + name: "x" for name in names}
    assert verdict("labels-present", images.app(Labels=full)) is Verdict.PASS
    finding = decide("labels-present", images.app(Labels={**full, f"{prefix}version": " "}))
    assert [evidence.text for evidence in finding.evidence] == [f"{prefix}version is empty"]
    assert len(decide("labels-present", images.app()).evidence) == 8
    assert verdict("labels-present", images.app(Labels={"mine": "x"}), names=["mine"]) is Verdict.PASS


@pytest.mark.parametrize("value", ["x" * 65_537, "a\x1b[2Jb", "a\u202eb", "a\x00b"])
def test_a_label_that_cannot_be_shown_fails_whatever_its_name(images: Images, value: str) -> None:
    finding = decide("labels-present", images.app(Labels={"mine": "x", "note": value}), names=["mine"])
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence[0].text.startswith("'note' ")
    assert verdict("labels-present", images.app(Labels={"mine": "two\n\tlines, é"}), names=["mine"]) is Verdict.PASS


@pytest.mark.parametrize(("built", "expected"), [(True, Verdict.PASS), (False, Verdict.FAIL), (None, Verdict.UNKNOWN)])
def test_unit_tests_pass_when_their_stage_was_built(images: Images, built: bool | None, expected: Verdict) -> None:
    assert verdict("unit-tests-pass", images.app(), {"unit_tests": built}) is expected
