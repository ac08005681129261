"""Other tools' files become contracts; what cannot be stated is listed and never dropped."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stageproof import contract, verify
from stageproof.checks import stated
from stageproof.checks.subject import Subject
from stageproof.errors import CatalogError
from stageproof.image import Needles
from stageproof.importing import carried, cst, goss
from stageproof.model import Verdict

if TYPE_CHECKING:
    from tests.unit.conftest import Images

CST = r"""
schemaVersion: "2.0.0"
globalEnvVars: [{key: A, value: b}]
commandTests:
  - name: version
    command: /app/run
    args: ["--version"]
    expectedOutput: ["1\\.2"]
fileExistenceTests:
  - {name: app, path: /app/run, shouldExist: true, permissions: "-rwxr-xr-x", uid: 0, gid: 0, isExecutableBy: other}
  - {name: no shell, path: /bin/sh, shouldExist: false}
  - {path: /usr/bin/su, permissions: urwxr-xr-x}
  - {path: /tmp, permissions: dtrwxrwxrwx}
  - {path: /x, permissions: "0644"}
fileContentTests:
  - name: users
    path: /etc/passwd
    expectedContents: ["root:x:0", "^app:.*"]
    excludedContents: ["games:", "gam.s"]
  - {name: conf, path: /etc/app.conf, expectedContents: ["listen 80;", "\\.conf", "a+b"]}
metadataTest:
  envVars: [{key: LANG, value: C.UTF-8}, {key: PORT, value: "[0-9]+", isRegex: true}]
  labels: [{key: version, value: "1.2"}]
  exposedPorts: ["8080"]
  unexposedPorts: ["22"]
  unboundEnvVars: [DEBUG]
  volumes: [/data]
  entrypoint: [/app/run]
  cmd: []
  workdir: /app
  user: "65532"
  shell: [x]
licenseTests: [{debian: true, files: [/foo]}]
"""
GOSS = r"""
file:
  /app/run: {exists: true, mode: "0755", owner: root, group: root, filetype: file, sha256: "ab", md5: "cd", title: app}
  /bin/sh: {exists: false}
  /etc/app.conf:
    exists: true
    contents: ["listen 80;", "/^a+/", "!debug", "/plain/", "\\!odd", {contain-element: x}]
    size: {gt: 3}
  /lib: {exists: true, filetype: symlink, linked-to: usr/lib}
  /skipped: {exists: true, skip: true}
package:
  libc6: {installed: true, versions: ["2.41-12"]}
  curl: {installed: false}
user: {app: {exists: true, uid: 65532, home: /home/app, groups: [app]}, games: {exists: false}}
group: {app: {exists: true, gid: 65532}}
port: {"tcp:8080": {listening: true, ip: ["127.0.0.1"]}, "tcp:22": {listening: false}, "unix:/x": {listening: true}}
http:
  http://localhost:8080/healthz?a=1: {status: 200, body: [ok, "/o+k/", "!error"], headers: ["Content-Type: text/plain"]}
  https://localhost/: {status: 200}
  http://example.org/: {status: 200}
process: {run: {running: true}}
command: {"run --version": {exit-status: 0}}
dns: {localhost: {resolvable: true}}
gossfile: {other.yaml: {}}
unheard-of: {x: {}}
"""


def read(made: carried.Carried) -> dict[str, Any]:
    """Give the claims as they read back from the file that is written."""
    table: dict[str, Any] = tomllib.loads(contract.text(made.contract("t")))["claims"]
    return table


@pytest.fixture
def structure(tmp_path: Path) -> carried.Carried:
    path = tmp_path / "cst.yaml"
    path.write_text(CST, encoding="utf-8")
    return cst.carry(path)


@pytest.fixture
def gossfile(tmp_path: Path) -> carried.Carried:
    path = tmp_path / "goss.yaml"
    path.write_text(GOSS, encoding="utf-8")
    return goss.carry(path)


def test_structure_tests_about_files_become_rows(structure: carried.Carried) -> None:
    assert read(structure)["files-as-stated"]["files"] == [
        {"path": "/app/run", "kind": "file", "mode": "0755", "uid": 0, "gid": 0, "executable": "other"},
        {"path": "/bin/sh", "exists": False},
        {"path": "/usr/bin/su", "kind": "file", "mode": "4755"},
        {"path": "/tmp", "kind": "folder", "mode": "1777"},
        {"path": "/x"},
        {"path": "/etc/passwd", "contains": ["root:x:0"], "matches": ["^app:.*"], "lacks": ["games:"]},
        {"path": "/etc/app.conf", "contains": ["listen 80;", ".conf"]},
    ]


def test_structure_tests_about_metadata_become_a_configuration(structure: carried.Carried) -> None:
    assert read(structure)["config-as-stated"] == {
        "exposed": ["8080"],
        "unexposed": ["22"],
        "volumes": ["/data"],
        "entrypoint": ["/app/run"],
        "cmd": [],
        "workdir": "/app",
        "user": "65532",
        "env": {"LANG": "C.UTF-8", "PORT": {"matches": "[0-9]+"}, "DEBUG": {"absent": True}},
        "labels": {"version": "1.2"},
    }


def test_structure_tests_that_cannot_be_stated_are_listed(structure: carried.Carried) -> None:
    assert [line.partition(": ")[0] for line in structure.left] == [
        "fileExistenceTests 5, permissions '0644'",
        "fileContentTests 1 (users), excludedContents not 'gam.s'",
        "fileContentTests 2 (conf), expectedContents 'a+b'",
        "metadataTest, shell",
        "commandTests 1 (version)",
        "licenseTests 1",
        "globalEnvVars",
    ]


def test_every_assertion_of_a_gossfile_is_stated_or_listed(gossfile: carried.Carried) -> None:
    assert read(gossfile) == {
        "files-as-stated": {
            "files": [
                {"path": "/app/run", "mode": "0755", "owner": "root", "group": "root", "kind": "file", "sha256": "ab"},
                {"path": "/bin/sh", "exists": False},
                {"path": "/etc/app.conf", "contains": ["listen 80;", "plain", "!odd"], "lacks": ["debug"]},
                {"path": "/lib", "kind": "link", "link": "usr/lib"},
            ]
        },
        "packages-as-stated": {
            "packages": [{"name": "libc6", "versions": ["2.41-12"]}, {"name": "curl", "installed": False}]
        },
        "users-as-stated": {
            "users": [
                {"name": "app", "uid": 65532, "home": "/home/app", "groups": ["app"]},
                {"name": "games", "exists": False},
            ],
            "groups": [{"name": "app", "gid": 65532}],
        },
        "ports-as-stated": {
            "ports": [{"port": "tcp:8080", "addresses": ["127.0.0.1"]}, {"port": "tcp:22", "listening": False}]
        },
        "http-as-stated": {
            "requests": [
                {
                    "path": "/healthz?a=1",
                    "port": 8080,
                    "status": 200,
                    "body": ["ok", "o+k"],
                    "headers": [r"Content\-Type:\ text/plain"],
                }
            ]
        },
    }
    assert [line.partition(": ")[0] for line in gossfile.left] == [
        "file /app/run, md5",
        "file /etc/app.conf, contents '^a+'",
        "file /etc/app.conf, contents",
        "file /etc/app.conf, size",
        "file /skipped",
        "port unix:/x",
        "http http://localhost:8080/healthz?a=1, body",
        "http https://localhost/",
        "http http://example.org/",
        "command run --version",
        "dns localhost",
        "gossfile other.yaml",
        "process run",
        "unheard-of x",
    ]


def test_what_was_carried_over_is_decided_as_the_other_tool_would(images: Images, tmp_path: Path) -> None:
    path = tmp_path / "goss.yaml"
    path.write_text(
        "file: {/etc/x: {exists: true, contents: [hello, '!bye']}, /bin/sh: {exists: false}}", encoding="utf-8"
    )
    (claim,) = goss.carry(path).contract("t").claims
    needles = Needles(tuple((text, text.encode()) for text in stated.texts(claim)))
    good = images.app(images.file("etc/x", b"hello"), needles=needles)
    assert verify.decide(claim, Subject(good)).verdict is Verdict.PASS
    bad = images.app(images.file("etc/x", b"hello, bye"), needles=needles)
    assert verify.decide(claim, Subject(bad)).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("listen 80;", "listen 80;"),
        (r"a\.b\/c", "a.b/c"),
        (r"a\\b", "a\\b"),
        ("a.b", None),
        ("^a", None),
        (r"\d", None),
        ("a|b", None),
        ("", None),
        ("end\\", None),
    ],
)
def test_a_pattern_is_a_text_only_if_it_matches_one_alone(pattern: str, text: str | None) -> None:
    assert carried.literal(pattern) == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("schemaVersion: '1.0.0'", "schemaVersion is '1.0.0'"),
        ("[]", "its top is no table"),
        ("{", "expected"),
        ("schemaVersion: 2.0.0\nfileExistenceTests: {path: /x}", "fileExistenceTests is no list of tables"),
        ("schemaVersion: 2.0.0\nfileExistenceTests: [{name: x}]", "fileExistenceTests 1 (x) has no path"),
        ("schemaVersion: 2.0.0\nmetadataTest: [1]", "metadataTest is no table"),
        ("schemaVersion: 2.0.0\nmetadataTest: {volumes: /x}", "volumes is no list"),
    ],
)
def test_a_structure_test_of_another_shape_is_refused(tmp_path: Path, text: str, seen: str) -> None:
    path = tmp_path / "cst.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError) as error:
        cst.carry(path)
    assert seen in error.value.seen


@pytest.mark.parametrize("text", ["file: {/x: {exists: {{ .Env.X }}}}", "file: [x]", "- x"])
def test_a_gossfile_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "goss.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError):
        goss.carry(path)


def test_a_file_of_which_nothing_can_be_stated_gives_no_contract(tmp_path: Path) -> None:
    path = tmp_path / "goss.yaml"
    path.write_text("command: {ls: {exit-status: 0}}", encoding="utf-8")
    with pytest.raises(CatalogError) as error:
        goss.carry(path).contract("t")
    assert "command ls" in error.value.seen
