"""One thing changed in a good image breaks exactly the claims that speak of it, of the whole distroless contract."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stageproof import checks, dockerfile, verify
from stageproof.checks.subject import Subject
from stageproof.image import Image, Needles
from stageproof.model import Budget, Claim, Limits, Stack, Variant, Verdict

if TYPE_CHECKING:
    from tests.unit.conftest import Images, Member

CANARY, COMPANY_CA = "canary-9f2d41c8", b"MIIDcompany"
NEEDLES = Needles.of(CANARY, [COMPANY_CA])
STACK = Stack(
    name="go",
    title="Go",
    language="Go 1",
    description="",
    folder=Path(),
    compiled=True,
    source_suffixes=(".go",),
    dev_packages=("vitest",),
    sdk="golang:1",
    limits=Limits(1, 1, 1),
    budgets={"distroless": Budget(disk=4_500_000, pull=4_500_000)},
)
DISTROLESS = Variant("distroless", "distroless", "", "distroless", {}, (), 3)
KEY = b"-----BEGIN RSA PRIVATE KEY-----\n" + b"MIIEpAIBAAKCAQEA7" * 20 + b"\n-----END RSA PRIVATE KEY-----\n"
PASSWD = b"root:x:0:0::/root:/x\nnonroot:x:65532:65532::/home/nonroot:/x\n"
OWNED = ("/etc/passwd", "/etc/group", "/etc/os-release", "/etc/ssl/certs/ca-certificates.crt", "/usr/share/large")
TEXT = """\
FROM sdk:1 AS sdk
RUN make
FROM base:1
COPY --from=sdk /app /app
COPY data.txt /app
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/app/run"]
HEALTHCHECK CMD ["/app/probe"]
LABEL org.opencontainers.image.base.name=base:1
"""
LABELS = ("title", "description", "version", "revision", "created", "licenses", "source")


@dataclass(frozen=True)
class Recipe:
    """What an image is made of; a mutation is another one."""

    layers: Sequence[Sequence[Member]]
    base: Sequence[Member]
    config: Mapping[str, Any]
    text: str = TEXT
    ignored: str = "*\n!data.txt\n"
    unit_tests: bool = True
    same_variant: bool = True
    """Whether the larger variant has the same change."""


def good(images: Images) -> Recipe:
    libc, md5 = b"libc", hashlib.md5(b"libc", usedforsecurity=False).hexdigest()
    base = [
        images.folder("root", 0o700),
        images.folder("tmp", 0o1777),
        images.folder("home/nonroot", 0o700, 65532, 65532),
        images.file("etc/passwd", PASSWD),
        images.file("etc/group", b"root:x:0:\nnonroot:x:65532:\n"),
        images.file("etc/os-release", b"ID=debian\nVERSION_ID=13\n"),
        images.file("etc/ssl/certs/ca-certificates.crt", b"-----BEGIN CERTIFICATE-----\n" * 12),
        images.file("usr/share/large", bytes(2_000_000)),
        images.file("usr/lib/libc.so.6", libc),
        images.file("usr/share/doc/libc6/copyright", b"LGPL"),
        images.file("var/lib/dpkg/status.d/libc6", b"Package: libc6\n"),
        images.file("var/lib/dpkg/status.d/libc6.md5sums", f"{md5}  usr/lib/libc.so.6\n".encode()),
        images.file("var/lib/dpkg/info/base.list", "\n".join(OWNED).encode()),
    ]
    app = [
        images.folder("app"),
        images.file("app/run", images.elf(), 0o755),
        images.file("app/probe", images.elf(), 0o755),
    ]
    config = {
        "User": "65532:65532",
        "Entrypoint": ["/app/run"],
        "ExposedPorts": {"8080/tcp": {}},
        "Healthcheck": {"Test": ["CMD", "/app/probe"]},
        "Labels": {f"org.opencontainers.image.{name}": "x" for name in LABELS}
        | {"org.opencontainers.image.base.name": "base:1"},
        "top": {"created": "2026-01-01T00:00:00Z"},
    }
    return Recipe([base, app, [images.file("app/data.txt", b"1")]], base, config)


def history(layers: int) -> list[dict[str, Any]]:
    """Tell the steps as BuildKit does: the base, a COPY for each other layer, the instructions without a layer."""
    steps: list[dict[str, Any]] = [{"created_by": "base"}, *[{"created_by": "COPY x /app # buildkit"}] * (layers - 1)]
    rest = ("USER 65532:65532", "EXPOSE [8080/tcp]", 'ENTRYPOINT ["/app/run"]', "HEALTHCHECK x", "LABEL x")
    return steps + [{"created_by": line, "empty_layer": True} for line in rest]


def subject_of(images: Images, recipe: Recipe) -> Subject:
    added = "".join("COPY data.txt /app\n" for _ in recipe.layers[3:])
    text = recipe.text.replace("USER 65532:65532\n", f"{added}USER 65532:65532\n")
    image = _image(images, recipe)
    given: dict[str, Any] = {
        "stack": STACK,
        "variant": DISTROLESS,
        "bases": {"base:1": images.image(recipe.base, needles=NEEDLES)},
        "siblings": {"multistage": image if recipe.same_variant else _image(images, good(images))},
        "canary": CANARY,
        "company_ca": (COMPANY_CA,),
        "unit_tests": recipe.unit_tests,
        "dockerfile": dockerfile.parse(text, ignored=recipe.ignored),
    }
    return Subject(image, **given)


def _image(images: Images, recipe: Recipe) -> Image:
    return images.image(*recipe.layers, needles=NEEDLES, history=history(len(recipe.layers)), **recipe.config)


def contract(root: Path) -> list[Claim]:
    """Give the static claims of the contract `distroless`, without those that are only shown."""
    table = tomllib.loads((root / "dockerfiles/contracts/distroless.toml").read_text())["claims"]
    static = {name for name, module in checks.names().items() if ".live." not in module}
    claims = [Claim(name, parameters) for name, parameters in table.items() if name in static]
    return [claim for claim in claims if not verify.is_reported_only(claim)]


def broken(images: Images, recipe: Recipe, root: Path) -> dict[str, Verdict]:
    findings = verify.decide_all(contract(root), subject_of(images, recipe))
    return {finding.claim: finding.verdict for finding in findings if finding.verdict not in verify.KEPT}


# --- changes: a later layer, the configuration, the Dockerfile

Change = Callable[["Images", Recipe], Recipe]


def later(*members: Callable[[Images], Member]) -> Change:
    """Put a layer on top."""
    return lambda images, recipe: replace(recipe, layers=[*recipe.layers, [make(images) for make in members]])


def add(path: str, data: bytes = b"x", mode: int = 0o644, uid: int = 0, gid: int = 0) -> Change:
    return later(lambda images: images.file(path, data, mode, uid, gid))


def add_program(path: str, text: bytes = b"", mode: int = 0o755, machine: int = 62) -> Change:
    return later(lambda images: images.file(path, images.elf(text=text, machine=machine), mode))


def delete(path: str) -> Change:
    folder, _, name = path.rpartition("/")
    return add(f"{folder}/.wh.{name}", b"")


def setting(**config: Any) -> Change:
    return lambda _, recipe: replace(recipe, config={**recipe.config, **config})


def rewritten(before: str, after: str) -> Change:
    return lambda _, recipe: replace(recipe, text=recipe.text.replace(before, after))


def other_variant(change: Change) -> Change:
    return lambda images, recipe: replace(change(images, recipe), same_variant=False)


def many_layers(images: Images, recipe: Recipe) -> Recipe:
    return replace(recipe, layers=[*recipe.layers, *[[images.file("app/data.txt", b"1")]] * 12])


def other_base(images: Images, recipe: Recipe) -> Recipe:
    return replace(recipe, base=[*recipe.base, images.file("etc/new")])


CHANGES: dict[str, tuple[Change, set[str]]] = {
    # added
    "a shell under another name": (add_program("app/helper", b"OPTIND getopts"), {"no-shell"}),
    "a package manager": (add_program("app/apt"), {"no-package-manager"}),
    "a download tool": (add_program("app/curl"), {"no-download-tool"}),
    "a compiler": (add_program("app/gcc"), {"no-compiler"}),
    "an interpreter": (add_program("app/perl", b"perl"), {"no-other-interpreter"}),
    "a program for another CPU": (add_program("app/tool", machine=183), {"platform-correct"}),
    "pip": (add("app/lib/pip/_internal/cli/main.py"), {"no-language-package-manager"}),
    "a test library": (add("app/node_modules/vitest/package.json", b'{"name": "vitest"}'), {"no-dev-dependencies"}),
    "a cache": (add("app/.cache/pip/a"), {"no-caches"}),
    "source": (add("app/main.go"), {"no-source"}),
    "version control": (add("app/.git/HEAD"), {"no-build-leftovers"}),
    "a key": (add("app/key.pem", KEY), {"no-secrets"}),
    "a stray file": (add("app/note", CANARY.encode()), {"no-canary"}),
    "a company's certificate": (add("app/ca.crt", COMPANY_CA), {"no-company-ca"}),
    "a file of nobody": (add("srv/x"), {"files-explained"}),
    "a large file": (add("app/big", bytes(3_000_000)), {"size-budget"}),
    "a file twice": (later(*[lambda images: images.file("app/data.txt", b"1")] * 2), {"clean-archive"}),
    "another root": (add("etc/passwd", PASSWD + b"toor:x:0:0::/:/x\n"), {"unique-ids"}),
    "a file that is stated to be absent": (add("app/debug.log"), {"files-as-stated"}),
    "a package that is stated to be absent": (
        add("var/lib/dpkg/status.d/openssh-server", b"Package: openssh-server\nVersion: 1\n"),
        {"packages-as-stated", "licences-present"},
    ),
    "a user that is stated to be absent": (add("etc/passwd", PASSWD + b"admin:x:7:7::/:/x\n"), {"users-as-stated"}),
    # renamed, linked
    "the app's data renamed": (
        other_variant(later(lambda i: i.file("app/.wh.data.txt", b""), lambda i: i.file("app/data", b"1"))),
        {"variant-subset"},
    ),
    "a hard link called like an editor": (later(lambda i: i.hard_link("app/vi", "app/run")), {"no-editor"}),
    "a hard link called like a shell": (later(lambda i: i.hard_link("app/sh", "app/run")), {"no-shell"}),
    # rights and owners
    "chmod of the program": (add_program("app/run", mode=0o644), {"entrypoint-resolves"}),
    "chmod of the probe": (add_program("app/probe", mode=0o700), {"healthcheck-resolves"}),
    "chmod u+s": (add("app/data.txt", b"1", 0o4755), {"no-setuid"}),
    "chmod for everybody but the user": (add("app/data.txt", b"1", 0o602, gid=65532), {"no-world-writable"}),
    "chmod of the home": (later(lambda i: i.folder("home/nonroot", 0o700)), {"user-has-home"}),
    "chmod of the certificates": (
        add("etc/ssl/certs/ca-certificates.crt", b"-----BEGIN CERTIFICATE-----\n" * 12, 0o600),
        {"certificates-present"},
    ),
    "chown of the app's data": (add("app/data.txt", b"1", uid=65532), {"writable-paths"}),
    # changed, deleted
    "a library changed": (add("usr/lib/libc.so.6", b"evil"), {"packages-unmodified"}),
    "an old release": (add("etc/os-release", b"ID=debian\nVERSION_ID=9\n"), {"base-in-support"}),
    "the certificates deleted": (delete("etc/ssl/certs/ca-certificates.crt"), {"certificates-present"}),
    "a licence deleted": (delete("usr/share/doc/libc6/copyright"), {"licences-present"}),
    "a folder of the base deleted": (delete("usr/share/large"), {"waste-budget"}),
    "the app's data deleted": (delete("app/data.txt"), set()),
    "many layers": (many_layers, {"layer-count"}),
    "another base": (other_base, {"base-layers"}),
    # configuration and Dockerfile
    "a signal": (setting(StopSignal="SIGKILL"), {"stop-signal"}),
    "a volume": (setting(Volumes={"/tmp": {}}), {"no-risky-volumes"}),
    "a volume that others cannot write": (
        setting(Volumes={"/home/nonroot": {}}),
        {"no-risky-volumes", "shared-paths-writable-by-group"},
    ),
    "a low port": (setting(ExposedPorts={"80/tcp": {}}), {"no-privileged-ports"}),
    "a name as user": (setting(User="nonroot"), {"non-root-user"}),
    "a variable that is stated to be absent": (setting(Env=["DEBUG=1"]), {"config-as-stated"}),
    "no labels": (setting(Labels={}), {"labels-present"}),
    "a probe by a shell": (
        setting(Healthcheck={"Test": ["CMD-SHELL", "/app/probe"]}),
        {"exec-form", "healthcheck-resolves"},
    ),
    "no probe": (setting(Healthcheck={"Test": ["NONE"]}), {"healthcheck-resolves"}),
    "an image without a tag": (rewritten("FROM sdk:1", "FROM sdk"), {"pinned-base"}),
    "a lone update": (rewritten("RUN make", "RUN apt-get update"), {"no-risky-instructions"}),
    "a deny-list": (lambda _, recipe: replace(recipe, ignored=".git\n"), {"allowlisted-context"}),
    "failed unit tests": (lambda _, recipe: replace(recipe, unit_tests=False), {"unit-tests-pass"}),
}


def test_the_good_image_breaks_no_claim(images: Images, root: Path) -> None:
    assert broken(images, good(images), root) == {}


@pytest.mark.parametrize("name", CHANGES)
def test_one_change_breaks_exactly_the_claims_that_speak_of_it(images: Images, root: Path, name: str) -> None:
    change, concerned = CHANGES[name]
    found = broken(images, change(images, good(images)), root)
    assert found == dict.fromkeys(concerned, Verdict.FAIL)


def test_every_static_claim_of_the_contract_is_broken_by_some_change(root: Path) -> None:
    assert {claim.id for claim in contract(root)} == set().union(*(concerned for _, concerned in CHANGES.values()))


def test_a_renamed_entry_point_is_told_and_leaves_every_negative_claim_open(images: Images, root: Path) -> None:
    moved = later(lambda i: i.file("app/.wh.run", b""), lambda i: i.file("app/start", i.elf(), 0o755))
    found = broken(images, moved(images, good(images)), root)
    assert {claim for claim, verdict in found.items() if verdict is Verdict.FAIL} == {"entrypoint-resolves"}
    negative = {claim.id for claim in contract(root) if claim.id.startswith("no-")}
    positive = {"no-privileged-ports", "no-risky-volumes", "no-risky-instructions"}
    open_ = {claim for claim, verdict in found.items() if verdict is Verdict.UNKNOWN}
    assert open_ == negative - positive | {"files-as-stated", "files-explained", "writable-paths", "variant-subset"}
