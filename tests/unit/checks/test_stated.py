"""Files, configuration, packages and users are as a contract states them, or the finding says where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stageproof import verify
from stageproof.checks import stated
from stageproof.checks.subject import Subject
from stageproof.errors import CatalogError
from stageproof.image import Needles
from stageproof.model import Claim, Finding, Verdict

if TYPE_CHECKING:
    from tests.unit.conftest import Images

HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
"""sha256 of `hello`."""
PASSWD = b"root:x:0:0:root:/root:/bin/sh\napp:x:65532:65532:App:/home/app:/sbin/nologin\n"
GROUP = b"root:x:0:\napp:x:65532:\nlogs:x:7:app,other\n"
STATUS = (
    b"Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.41-12\n\n"
    b"Package: curl\nStatus: deinstall ok config-files\nVersion: 8.14\n\n"
)


def decide(images: Images, claim: str, parameters: dict[str, Any], *members: Any, **config: Any) -> Finding:
    made = Claim(claim, parameters)
    needles = Needles(tuple((text, text.encode()) for text in stated.texts(made)))
    return verify.decide(made, Subject(images.app(*members, needles=needles, **config)))


def files(images: Images, row: dict[str, Any]) -> Finding:
    members = [
        images.file("etc/passwd", PASSWD),
        images.file("etc/group", GROUP),
        images.file("etc/app.conf", b"hello", 0o640, 0, 65532),
        images.file("usr/bin/su", b"x", 0o4755),
        images.folder("var/data", 0o1777, 65532, 7),
        images.link("lib", "usr/lib"),
        images.folder("usr/lib"),
        images.file("usr/lib/x", b"hello"),
        images.link("etc/dangling", "nowhere"),
        images.link("etc/alias", "app.conf"),
        images.link("bin/su", "../usr/bin/su"),
        images.hard_link("etc/second", "etc/app.conf"),
        images.hard_link("etc/third", "etc/second"),
    ]
    return decide(images, "files-as-stated", {"files": [row]}, *members)


@pytest.mark.parametrize(
    "row",
    [
        {"path": "/etc/app.conf"},
        {"path": "/etc/app.conf", "kind": "file", "mode": "0640", "uid": 0, "gid": 65532, "size": 5},
        {"path": "/etc/app.conf", "mode": "640", "owner": "root", "group": "app", "sha256": HELLO},
        {"path": "/etc/app.conf", "owner": 0, "group": "65532", "contains": ["hello"], "lacks": ["bye"]},
        {"path": "/usr/bin/su", "mode": "4755", "executable": "other"},
        {"path": "/var/data", "kind": "folder", "mode": "1777", "owner": "app", "group": "logs"},
        {"path": "/lib", "kind": "link", "link": "usr/lib"},
        {"path": "/lib/x", "kind": "file", "sha256": HELLO},
        {"path": "/etc/alias", "kind": "link", "contains": ["hell"]},
        {"path": "/etc/second", "kind": "file", "contains": ["hello"], "lacks": ["bye"]},
        {"path": "/etc/third", "contains": ["hello"]},
        {"path": "/bin/su", "kind": "link", "executable": "other"},
        {"path": "/etc/passwd", "matches": ["^root:[^:]*:0:"]},
        {"path": "/bin/sh", "exists": False},
        {"path": "/lib/y", "exists": False},
    ],
)
def test_a_file_that_is_as_stated_keeps_the_claim(images: Images, row: dict[str, Any]) -> None:
    finding = files(images, row)
    assert (finding.verdict, finding.evidence) == (Verdict.PASS, ())


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        ({"path": "/etc/none"}, "is not there: /etc/none is not there"),
        ({"path": "/etc/app.conf", "exists": False}, "is there, a file; stated is that it is not"),
        ({"path": "/etc/dangling", "exists": False}, "is there, a link; stated is that it is not"),
        ({"path": "/lib/x", "exists": False}, "is there, a file; stated is that it is not"),
        ({"path": "/etc/app.conf", "kind": "folder"}, "its kind is file, stated is folder"),
        ({"path": "/etc/app.conf", "mode": "0644"}, "its mode is 0640, stated is 0644"),
        ({"path": "/usr/bin/su", "mode": "0755"}, "its mode is 4755, stated is 0755"),
        ({"path": "/etc/app.conf", "uid": 7}, "its uid is 0, stated is 7"),
        ({"path": "/etc/app.conf", "owner": "app"}, "its owner is 0, stated is app (65532)"),
        ({"path": "/etc/app.conf", "owner": "nobody"}, "its owner is 0, and the image knows no 'nobody'"),
        ({"path": "/etc/app.conf", "executable": "any"}, "is not executable by any: its mode is 0640"),
        (
            {"path": "/etc/dangling", "executable": "any"},
            "is not executable by any: it leads to nowhere, /etc/nowhere is not there",
        ),
        ({"path": "/etc/alias", "executable": "any"}, "is not executable by any: its mode is 0640"),
        ({"path": "/etc/third", "lacks": ["hello"]}, "contains the text 'hello'"),
        ({"path": "/etc/app.conf", "sha256": "0" * 64}, f"its sha256 is {HELLO}, stated is {'0' * 64}"),
        ({"path": "/etc/app.conf", "contains": ["bye"]}, "lacks the text 'bye'"),
        ({"path": "/etc/alias", "lacks": ["hello"]}, "contains the text 'hello'"),
        ({"path": "/etc/passwd", "matches": ["^app"]}, "matches '^app' nowhere"),
        ({"path": "/etc/dangling", "contains": ["x"]}, "has no content: /etc/nowhere is not there"),
        ({"path": "/var/data", "sha256": HELLO}, "has no content: it is a folder"),
        ({"path": "/lib", "link": "/usr/lib"}, "its link is usr/lib, stated is /usr/lib"),
    ],
)
def test_a_file_that_differs_breaks_the_claim_and_says_how(images: Images, row: dict[str, Any], seen: str) -> None:
    finding = files(images, row)
    assert finding.verdict is Verdict.FAIL
    assert [(each.path, each.text) for each in finding.evidence] == [(row["path"], seen)]


def test_a_pattern_in_a_file_that_is_not_remembered_is_unknown(images: Images) -> None:
    finding = files(images, {"path": "/etc/app.conf", "matches": ["hel+o"]})
    assert finding.verdict is Verdict.UNKNOWN
    assert "not remembered" in finding.evidence[0].text


def test_a_text_that_nothing_was_searched_for_is_unknown(images: Images) -> None:
    claim = Claim("files-as-stated", {"files": [{"path": "/etc/x", "lacks": ["secret"]}]})
    finding = verify.decide(claim, Subject(images.app(images.file("etc/x", b"secret"))))
    assert finding.verdict is Verdict.UNKNOWN


def test_an_absence_in_an_image_that_was_not_really_read_is_unknown(images: Images) -> None:
    row = {"path": "/bin/sh", "exists": False}
    finding = decide(images, "files-as-stated", {"files": [row]}, Entrypoint=["/not/there"])
    assert finding.verdict is Verdict.UNKNOWN


def test_a_file_of_a_lower_layer_does_not_speak_for_the_one_above_it(images: Images) -> None:
    layers = (
        [images.file("app/run", images.elf(), 0o755), images.file("etc/x", b"old text")],
        [images.file("etc/x", b"new")],
    )
    claim = Claim("files-as-stated", {"files": [{"path": "/etc/x", "lacks": ["old text"]}]})
    image = images.image(*layers, needles=Needles((("old text", b"old text"),)), Entrypoint=["/app/run"])
    assert verify.decide(claim, Subject(image)).verdict is Verdict.PASS


CONFIG = {
    "Env": ["LANG=C.UTF-8", "PORT=8080"],
    "Labels": {"version": "1.2"},
    "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
    "Volumes": {"/data": {}},
    "Entrypoint": ["/app/run"],
    "Cmd": ["serve"],
    "User": "65532:65532",
    "WorkingDir": "/app",
    "Healthcheck": {"Test": ["CMD", "/app/run", "health"]},
}


@pytest.mark.parametrize(
    "parameters",
    [
        {"env": {"LANG": "C.UTF-8", "PORT": {"matches": "^[0-9]+$"}, "DEBUG": {"absent": True}}},
        {"labels": {"version": {"matches": "^1"}}},
        {"exposed": ["8080", "53/udp"], "unexposed": ["22"]},
        {"volumes": ["/data"], "unmounted": ["/tmp"]},
        {"entrypoint": ["/app/run"], "cmd": ["serve"], "healthcheck": ["CMD", "/app/run", "health"]},
        {"user": "65532:65532", "workdir": {"matches": "app"}, "signal": "SIGTERM"},
    ],
)
def test_a_configuration_that_is_as_stated_keeps_the_claim(images: Images, parameters: dict[str, Any]) -> None:
    assert decide(images, "config-as-stated", parameters, **CONFIG).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("parameters", "seen"),
    [
        ({"env": {"LANG": "C"}}, "the variable LANG is 'C.UTF-8', stated is 'C'"),
        ({"env": {"DEBUG": "1"}}, "the variable DEBUG is not set, stated is '1'"),
        ({"env": {"PORT": {"absent": True}}}, "the variable PORT is '8080', stated is that it is absent"),
        ({"env": {"X": {"absent": False}}}, "the variable X is not set, stated is that it is there"),
        ({"env": {"PORT": {"matches": "^9"}}}, "the variable PORT is '8080', which does not match '^9'"),
        ({"labels": {"version": "2"}}, "the label version is '1.2', stated is '2'"),
        ({"exposed": ["9090"]}, "the port 9090/tcp is not declared"),
        ({"unexposed": ["53/udp"]}, "the port 53/udp is declared, stated is that it is not"),
        ({"volumes": ["/tmp"]}, "the volume /tmp is not declared"),
        ({"unmounted": ["/data"]}, "the volume /data is declared, stated is that it is not"),
        ({"cmd": []}, "CMD is ['serve'], stated is []"),
        ({"user": ""}, "USER is '65532:65532', stated is ''"),
        ({"signal": "SIGINT"}, "STOPSIGNAL is 'SIGTERM', stated is 'SIGINT'"),
    ],
)
def test_a_configuration_that_differs_breaks_the_claim(images: Images, parameters: dict[str, Any], seen: str) -> None:
    finding = decide(images, "config-as-stated", parameters, **CONFIG)
    assert finding.verdict is Verdict.FAIL
    assert [each.text for each in finding.evidence] == [seen]


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ({"name": "libc6"}, Verdict.PASS),
        ({"name": "libc6", "versions": ["1", "2.41-12"]}, Verdict.PASS),
        ({"name": "libc6", "versions": ["2.40"]}, Verdict.FAIL),
        ({"name": "libc6", "installed": False}, Verdict.FAIL),
        ({"name": "curl", "installed": False}, Verdict.PASS),
        ({"name": "curl"}, Verdict.FAIL),
        ({"name": "base-files"}, Verdict.PASS),
    ],
)
def test_packages_are_those_that_the_image_s_own_records_call_installed(
    images: Images, row: dict[str, Any], verdict: Verdict
) -> None:
    members = [
        images.file("var/lib/dpkg/status", STATUS),
        images.file("var/lib/dpkg/status.d/base-files", b"Package: base-files\nVersion: 13.8\n"),
        images.file("var/lib/dpkg/status.d/base-files.md5sums", b"0 etc/x\n"),
    ]
    assert decide(images, "packages-as-stated", {"packages": [row]}, *members).verdict is verdict


def test_packages_of_alpine_are_read_too(images: Images) -> None:
    installed = b"C:Q1\nP:musl\nV:1.2.5-r9\nA:x86_64\n\nP:busybox\nV:1.37\n\n"
    rows = [{"name": "musl", "versions": ["1.2.5-r9"]}, {"name": "curl", "installed": False}]
    member = images.file("lib/apk/db/installed", installed)
    assert decide(images, "packages-as-stated", {"packages": rows}, member).verdict is Verdict.PASS


def test_packages_of_an_image_without_records_are_unknown(images: Images) -> None:
    rows = [{"name": "curl", "installed": False}]
    assert decide(images, "packages-as-stated", {"packages": rows}).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("parameters", "verdict"),
    [
        ({"users": [{"name": "app", "uid": 65532, "gid": 65532, "home": "/home/app"}]}, Verdict.PASS),
        ({"users": [{"name": "app", "shell": "/sbin/nologin", "groups": ["app", "logs"]}]}, Verdict.PASS),
        ({"users": [{"name": "games", "exists": False}]}, Verdict.PASS),
        ({"groups": [{"name": "logs", "gid": 7}, {"name": "sudo", "exists": False}]}, Verdict.PASS),
        ({"users": [{"name": "app", "uid": 1000}]}, Verdict.FAIL),
        ({"users": [{"name": "app", "groups": ["root"]}]}, Verdict.FAIL),
        ({"users": [{"name": "app", "exists": False}]}, Verdict.FAIL),
        ({"users": [{"name": "games"}]}, Verdict.FAIL),
        ({"groups": [{"name": "logs", "gid": 8}]}, Verdict.FAIL),
        ({"groups": [{"name": "logs", "exists": False}]}, Verdict.FAIL),
        ({"groups": [{"name": "sudo"}]}, Verdict.FAIL),
    ],
)
def test_users_and_groups_are_those_of_the_image_s_files(
    images: Images, parameters: dict[str, Any], verdict: Verdict
) -> None:
    members = [images.file("etc/passwd", PASSWD), images.file("etc/group", GROUP)]
    assert decide(images, "users-as-stated", parameters, *members).verdict is verdict


def test_users_of_an_image_without_their_file_are_unknown(images: Images) -> None:
    assert decide(images, "users-as-stated", {"users": [{"name": "a", "exists": False}]}).verdict is Verdict.UNKNOWN
    row = {"name": "app", "groups": ["app"]}
    passwd = images.file("etc/passwd", PASSWD)
    assert decide(images, "users-as-stated", {"users": [row]}, passwd).verdict is Verdict.UNKNOWN


STATED = [
    "files-as-stated",
    "config-as-stated",
    "packages-as-stated",
    "users-as-stated",
    "ports-as-stated",
    "http-as-stated",
]


@pytest.mark.parametrize("claim", STATED)
def test_what_states_nothing_is_no_pass(images: Images, claim: str) -> None:
    assert decide(images, claim, {}).verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("claim", "parameters"),
    [
        ("files-as-stated", {"files": [{"path": "/x", "exsts": False}]}),
        ("files-as-stated", {"files": [{"mode": "0644"}]}),
        ("files-as-stated", {"files": "/x"}),
        ("files-as-stated", {"files": [{"path": "/app/run", "executable": "me"}]}),
        ("files-as-stated", {"files": [{"path": "/app/run", "contains": "text"}]}),
        ("config-as-stated", {"env": {"A": {"matches": "("}}}),
        ("config-as-stated", {"env": {"A": {"like": "x"}}}),
        ("packages-as-stated", {"packages": [{"name": "x", "version": "1"}]}),
        ("users-as-stated", {"users": ["app"]}),
    ],
)
def test_a_row_that_nothing_looks_at_is_an_error_of_the_contract(
    images: Images, claim: str, parameters: dict[str, Any]
) -> None:
    members = [images.file("var/lib/dpkg/status", STATUS), images.file("etc/passwd", PASSWD)]
    with pytest.raises(CatalogError):
        decide(images, claim, parameters, *members)
