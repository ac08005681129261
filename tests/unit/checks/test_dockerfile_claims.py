"""Claims that the Dockerfile decides, the lines that evidence names, and who brought a layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stageproof import dockerfile
from stageproof.checks import load
from stageproof.checks.subject import Subject
from stageproof.dockerfile import Dockerfile
from stageproof.image import Image
from stageproof.model import Finding, Verdict

if TYPE_CHECKING:
    from tests.unit.conftest import Images

DIGEST = "@sha256:" + "0123456789abcdef" * 4


def parse(text: str, ignored: str | None = None, **args: str) -> Dockerfile:
    return dockerfile.parse(text, args, ignored=ignored)


def decide(claim: str, image: Image, read: Dockerfile | None = None, **parameters: object) -> Finding:
    return load(claim).check(Subject(image, dockerfile=read), **parameters)


@pytest.mark.parametrize("claim", ["pinned-base", "allowlisted-context"])
def test_without_the_dockerfile_its_claims_stay_open(images: Images, claim: str) -> None:
    assert decide(claim, images.app()).verdict is Verdict.UNKNOWN


# --- pinned-base


@pytest.mark.parametrize(
    ("text", "by_tag", "by_digest"),
    [
        ("FROM debian\n", Verdict.FAIL, Verdict.FAIL),
        ("FROM debian:latest\n", Verdict.FAIL, Verdict.FAIL),
        ("FROM registry:5000/debian\n", Verdict.FAIL, Verdict.FAIL),
        ("FROM debian:13\n", Verdict.PASS, Verdict.FAIL),
        (f"FROM debian:13{DIGEST}\n", Verdict.PASS, Verdict.PASS),
        (f"FROM debian{DIGEST}\n", Verdict.PASS, Verdict.PASS),
        ("FROM scratch\nCOPY a /\n", Verdict.PASS, Verdict.PASS),
        ("FROM a:1 AS sdk\nFROM sdk AS x\nFROM SDK\nCOPY --from=0 /a /\n", Verdict.PASS, Verdict.FAIL),
        ("FROM scratch\nCOPY --from=busybox /a /\n", Verdict.FAIL, Verdict.FAIL),
        ("FROM scratch\nRUN --mount=type=bind,from=busybox,target=/x y\n", Verdict.FAIL, Verdict.FAIL),
        ("# syntax=docker/dockerfile\nFROM scratch\n", Verdict.FAIL, Verdict.FAIL),
        ("ARG T=13\nFROM debian:$T\n", Verdict.PASS, Verdict.FAIL),
        ("ARG T\nFROM debian:$T\n", Verdict.UNKNOWN, Verdict.UNKNOWN),
    ],
)
def test_every_image_from_elsewhere_needs_its_version(
    images: Images, text: str, by_tag: Verdict, by_digest: Verdict
) -> None:
    image = images.app()
    assert decide("pinned-base", image, parse(text), by="tag").verdict is by_tag
    assert decide("pinned-base", image, parse(text)).verdict is by_digest


def test_a_base_that_is_not_allowed_is_named_with_its_line(images: Images) -> None:
    read = parse("\nFROM debian:13 AS a\nFROM evil:1\n")
    finding = decide("pinned-base", images.app(), read, by="tag", allowed=["debian:*"])
    assert [(evidence.text, evidence.line) for evidence in finding.evidence] == [
        ("evil:1 is not one of the images that are allowed", 3)
    ]


def test_an_argument_given_to_the_build_decides(images: Images) -> None:
    assert decide("pinned-base", images.app(), parse("ARG T\nFROM a:${T}\n", T="1"), by="tag").verdict is Verdict.PASS


# --- exec-form


@pytest.mark.parametrize(
    ("config", "keyword"),
    [
        ({"Entrypoint": ["/bin/sh", "-c", "/app/run"]}, "ENTRYPOINT"),
        ({"Cmd": ["/bin/sh", "-c", "x"]}, "CMD"),
        ({"Cmd": ["/bin/ash", "-eo", "x"], "Shell": ["/bin/ash", "-eo"]}, "CMD"),
        ({"Healthcheck": {"Test": ["CMD-SHELL", "curl localhost"]}}, "HEALTHCHECK"),
        ({"Healthcheck": {"Test": ["CMD", "sh", "-c", "curl localhost"]}}, "HEALTHCHECK"),
    ],
)
def test_the_shell_form_is_named_with_its_line(images: Images, config: dict[str, Any], keyword: str) -> None:
    read = parse(f"FROM a:1\nUSER 1\n{keyword} whatever\n")
    finding = decide("exec-form", images.app(**config), read)
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence[0].text.startswith(f"{keyword} became")
    assert finding.evidence[0].line == 3


def test_the_exec_form_holds_also_for_a_shell_as_the_app_and_nothing_to_start_fails(images: Images) -> None:
    health = {"Test": ["CMD", "/app/run", "healthcheck"]}
    assert decide("exec-form", images.app(Cmd=["-c", "x"], Healthcheck=health)).verdict is Verdict.PASS
    assert decide("exec-form", images.app(Entrypoint=["/bin/bash"])).verdict is Verdict.PASS
    assert decide("exec-form", images.image([images.file("a")])).verdict is Verdict.FAIL


# --- allowlisted-context

COPIES = "FROM a:1\nCOPY . .\n"


@pytest.mark.parametrize(
    ("ignored", "expected"),
    [
        ("*\n!src\n", Verdict.PASS),
        ("# all\n**\n!src/*.go\nsrc/secret.go\n", Verdict.PASS),
        ("!src\n*\n!go.mod\n", Verdict.PASS),
        ("*\n!**\n", Verdict.FAIL),
        ("*\n! .\n", Verdict.FAIL),
        ("node_modules\n.git\n", Verdict.FAIL),
        ("*.log\n!src\n", Verdict.FAIL),
        ("", Verdict.FAIL),
        (None, Verdict.FAIL),
    ],
)
def test_the_ignore_file_is_an_allow_list(images: Images, ignored: str | None, expected: Verdict) -> None:
    assert decide("allowlisted-context", images.app(), parse(COPIES, ignored)).verdict is expected


@pytest.mark.parametrize(
    "text",
    [
        "FROM a:1 AS x\nFROM b:1\nCOPY --from=x /a /\nRUN --mount=type=cache,target=/c true\n",
        "FROM a:1 AS x\nFROM b:1\nRUN --mount=type=bind,from=x,target=/y make\n",
        "FROM a:1\nADD https://example.org/a /a\n",
        "FROM a:1\nCOPY <<EOF /a\ntext\nEOF\n",
    ],
)
def test_a_build_that_takes_nothing_from_its_folder_is_not_judged(images: Images, text: str) -> None:
    assert decide("allowlisted-context", images.app(), parse(text)).verdict is Verdict.NOT_APPLICABLE


def test_a_mounted_folder_of_the_build_counts(images: Images) -> None:
    read = parse("FROM a:1\nRUN --mount=type=bind,target=/src make\n")
    finding = decide("allowlisted-context", images.app(), read)
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence[0].line == 2


# --- no-risky-instructions


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ADD https://example.org/a.bin /a", "fetched without a checksum"),
        ("ADD app.tar.gz /", "an archive"),
        ('ADD ["my app.tgz", "/"]', "an archive"),
        ("RUN sudo make install", "sudo"),
        ("RUN apt-get update && apt-get -y dist-upgrade", "upgrades the whole system"),
        ("RUN apk -U upgrade", "upgrades the whole system"),
        ("RUN dnf -y update && dnf clean all", "upgrades the whole system"),
        ("RUN apt-get update", "updates the package index alone"),
        ("RUN if ! /usr/bin/apt-get -qq update; then exit 1; fi", "updates the package index alone"),
        ("RUN X=1 sudo -E apt-get update", "updates the package index alone"),
        ('RUN ["/bin/bash", "-c", "wget -O- https://x/i | tee log | bash -s"]', "pipes a download into a shell"),
        ("RUN curl -fsSL https://example.org/i.sh | sh", "pipes a download into a shell"),
        ("RUN <<EOF\nset -e\nwget -qO- https://x/i | sudo bash -s\nEOF", "pipes a download into a shell"),
    ],
)
def test_risky_instructions_are_named_with_their_line(images: Images, line: str, told: str) -> None:
    finding = decide("no-risky-instructions", images.app(), parse(f"FROM a:1\n{line}\n"))
    assert finding.verdict is Verdict.FAIL
    assert any(told in evidence.text for evidence in finding.evidence)
    assert finding.evidence[0].line == 2


@pytest.mark.parametrize(
    "line",
    [
        f"ADD --checksum=sha256:{'0' * 64} https://example.org/a.bin /a",
        "ADD src /src",
        "RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*",
        "RUN apk update && apk add curl",
        "RUN dnf -y update openssl",
        "RUN pip install --upgrade pip && npm update",
        "RUN curl -fsSLo /tmp/i.sh https://x/i && echo 'abc  /tmp/i.sh' | sha256sum -c && sh /tmp/i.sh",
        "RUN echo pseudo sudoku",
        "ENV NOTE='sudo apt-get update'",
    ],
)
def test_other_instructions_are_no_risk(images: Images, line: str) -> None:
    assert decide("no-risky-instructions", images.app(), parse(f"FROM a:1\n{line}\n")).verdict is Verdict.PASS


def test_without_the_dockerfile_the_history_is_judged_and_without_both_it_stays_open(images: Images) -> None:
    history = [{"created_by": "RUN |1 A=b /bin/sh -c apt-get update # buildkit"}, {"created_by": "ADD http://x/a /a"}]
    finding = decide("no-risky-instructions", images.app(history=history))
    assert [evidence.layer for evidence in finding.evidence] == [1, 2]
    debian = [{"created_by": "/bin/sh -c #(nop) ADD file:ab in / "}, {"created_by": "/bin/sh -c apt-get -y install a"}]
    assert decide("no-risky-instructions", images.app(history=debian)).verdict is Verdict.PASS
    assert decide("no-risky-instructions", images.app(history=[])).verdict is Verdict.UNKNOWN


def test_a_history_of_any_length_is_judged_in_one_pass(images: Images) -> None:
    words = ["apt " * 300_000, " " * 500_000 + "x", "|1 a " * 100_000, "if " * 300_000, "curl | " * 100_000]
    history = [{"created_by": f"RUN /bin/sh -c {word}"} for word in words]
    layers = [[images.file(f"a{number}")] for number, _ in enumerate(history)]
    assert decide("no-risky-instructions", images.image(*layers, history=history)).verdict is Verdict.PASS


def test_what_the_base_s_history_tells_is_the_base_s(images: Images) -> None:
    layer, history = [images.file("a")], [{"created_by": "RUN /bin/sh -c apt-get update"}, {"created_by": "COPY b /"}]
    image = images.image(layer, [images.file("b")], history=history, Entrypoint=["/b"])
    check = load("no-risky-instructions").check
    assert check(Subject(image)).verdict is Verdict.FAIL
    assert check(Subject(image, bases={"base:1": images.image(layer)})).verdict is Verdict.PASS


# --- whose it is, and which line

TEXT = """\
FROM debian:13 AS build
RUN make
FROM debian:13
COPY --from=build /a /a
ARG X=1
ENV Y=2
RUN rm \\
    -rf /a
USER 65532:65532
"""
HISTORY: list[dict[str, Any]] = [
    {"created_by": "the base's own"},
    {"created_by": "COPY /a /a # buildkit"},
    {"created_by": "ARG X=1", "empty_layer": True},
    {"created_by": "ENV Y=2", "empty_layer": True},
    {"created_by": "RUN |1 X=1 /bin/sh -c rm     -rf /a # buildkit"},
    {"created_by": "USER 65532:65532", "empty_layer": True},
]


def layered(images: Images, history: list[dict[str, Any]]) -> Image:
    layers = [[images.file("base")], [images.file("a", b"1")], [images.file("b")]]
    return images.image(*layers, history=history, Entrypoint=["/base"])


def test_layers_lead_to_the_lines_of_the_dockerfile_and_to_the_base(images: Images) -> None:
    origins = Subject(layered(images, HISTORY), dockerfile=parse(TEXT)).origins
    assert (origins.base, origins.count, origins.lines) == ("debian:13", 1, (None, 4, 7))
    assert [origins.of(number) for number in (1, 2, 3)] == ["base debian:13", "app", "app"]
    assert origins.line_of("USER") == 9
    assert origins.line_of("HEALTHCHECK") is None


def test_the_history_of_the_classic_builder_is_understood(images: Images) -> None:
    words = ("ADD file:ab in /", "COPY file:cd in /a", "ARG X=1", "ENV Y=2", "", "USER 65532:65532")
    history: list[dict[str, Any]] = [
        {"created_by": f"/bin/sh -c #(nop)  {word}" if word else "|1 X=1 /bin/sh -c rm -rf /a", "empty_layer": empty}
        for word, empty in zip(words, (False, False, True, True, False, True), strict=True)
    ]
    assert Subject(layered(images, history), dockerfile=parse(TEXT)).origins.lines == (None, 4, 7)


def test_a_dockerfile_of_another_image_gives_no_lines(images: Images) -> None:
    other = parse(TEXT.replace("USER 65532:65532", "EXPOSE 8080"))
    origins = Subject(layered(images, HISTORY), dockerfile=other).origins
    assert (origins.count, origins.lines) == (None, ())
    assert origins.of(1) == ""


def test_the_base_is_known_by_its_layers_and_the_longest_one_counts(images: Images) -> None:
    image = layered(images, HISTORY)
    one, two = images.image([images.file("base")]), images.image([images.file("base")], [images.file("a", b"1")])
    origins = Subject(image, bases={"one:1": one, "two:2": two, "other:3": images.image([images.file("x")])}).origins
    assert [origins.of(number) for number in (1, 2, 3)] == ["base two:2", "base two:2", "app"]


def test_a_label_gives_the_base_its_name_where_only_the_dockerfile_tells_its_layers(images: Images) -> None:
    assert Subject(layered(images, HISTORY)).origins.of(1) == ""
    labels = {"org.opencontainers.image.base.name": "debian:13"}
    image = images.image([images.file("a")], Labels=labels)
    assert Subject(image).origins.base == "debian:13"
    assert Subject(image).origins.of(1) == ""


def test_this_project_s_own_files_are_read_with_their_ignore_files(root: Path) -> None:
    for path in sorted((root / "dockerfiles").glob("*/*.Dockerfile")):
        read = dockerfile.read(path, {"BASE_TAG": "nonroot"})
        assert read.ignored is not None
        assert read.ignored[0] == "*"
        assert [step.keyword for step in read.steps()].count("ENTRYPOINT") == 1
