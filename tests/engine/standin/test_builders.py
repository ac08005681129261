"""The stand-ins of Debian and of the builder images have what a `FROM` on the real ones relies on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import docker
import pytest

from stageproof.engine import ca
from stageproof.model import StandIn

from .conftest import Bench, SavedImage

DEBIAN = "debian:trixie-slim"
GOLANG = "golang:1.27-trixie"
PYTHON = "python:3.13-slim-trixie"
NODE = "node:26-trixie-slim"
MAVEN = "maven:3.9-eclipse-temurin-25"
JRE = "eclipse-temurin:25-jre"

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

SLIM_PACKAGES = """
apt base-files base-passwd bash bsdutils coreutils dash debconf debian-archive-keyring debianutils diffutils dpkg
findutils gcc-14-base grep gzip hostname init-system-helpers libacl1 libapt-pkg7.0 libattr1 libaudit-common libaudit1
libblkid1 libbsd0 libbz2-1.0 libc-bin libc6 libcap-ng0 libcap2 libcrypt1 libdb5.3t64 libdebconfclient0 libgcc-s1
libgmp10 libhogweed6t64 liblastlog2-2 liblz4-1 liblzma5 libmd0 libmount1 libnettle8t64 libpam-modules
libpam-modules-bin libpam-runtime libpam0g libpcre2-8-0 libseccomp2 libselinux1 libsemanage-common libsemanage2
libsepol2 libsmartcols1 libsqlite3-0 libssl3t64 libstdc++6 libsystemd0 libtinfo6 libudev1 libuuid1 libxxhash0 libzstd1
login login.defs mawk mount ncurses-base ncurses-bin openssl-provider-legacy passwd perl-base sed sqv sysvinit-utils
tar tzdata util-linux zlib1g
"""


def _shell(bench: Bench, reference: str, script: str) -> str:
    answer = bench.run("sh", "-ec", script, dockerfile=f"FROM {reference}\n")
    assert answer.code == 0, answer.output
    return answer.output


@pytest.fixture
def settings(stand_ins: Mapping[str, StandIn], client: docker.DockerClient) -> Callable[[str], Mapping[str, Any]]:
    """Give a way to read what an image sets for its containers."""
    return lambda reference: client.images.get(stand_ins[reference].image).attrs["Config"]


Settings = Callable[[str], Mapping[str, Any]]


def _env(settings: Mapping[str, Any]) -> dict[str, str]:
    return dict(each.split("=", 1) for each in settings["Env"])


@pytest.mark.parametrize(
    ("reference", "entrypoint", "cmd", "folder"),
    [
        (DEBIAN, None, ["bash"], ""),
        (GOLANG, None, ["bash"], "/go"),
        (PYTHON, None, ["python3"], ""),
        (NODE, ["docker-entrypoint.sh"], ["node"], ""),
        (MAVEN, ["/usr/local/bin/mvn-entrypoint.sh"], ["mvn"], ""),
        (JRE, ["/__cacert_entrypoint.sh"], None, ""),
    ],
)
def test_entry_point_command_and_folder_are_those_of_the_real_image(
    settings: Settings, reference: str, entrypoint: list[str] | None, cmd: list[str] | None, folder: str
) -> None:
    found = settings(reference)

    assert (found.get("Entrypoint"), found.get("Cmd") or None) == (entrypoint, cmd)
    assert found.get("WorkingDir", "").removesuffix("/") == folder
    assert not found.get("User")


@pytest.mark.parametrize(
    ("reference", "env"),
    [
        (DEBIAN, {"PATH": SYSTEM_PATH}),
        (GOLANG, {"GOTOOLCHAIN": "local", "GOPATH": "/go", "PATH": f"/go/bin:/usr/local/go/bin:{SYSTEM_PATH}"}),
        (PYTHON, {"PATH": f"/usr/local/bin:{SYSTEM_PATH}"}),
        (MAVEN, {"JAVA_HOME": "/opt/java/openjdk", "MAVEN_HOME": "/usr/share/maven", "MAVEN_CONFIG": "/root/.m2"}),
        (
            JRE,
            {"JAVA_HOME": "/opt/java/openjdk", "LANG": "en_US.UTF-8", "PATH": f"/opt/java/openjdk/bin:{SYSTEM_PATH}"},
        ),
    ],
)
def test_variables_are_those_of_the_real_image(settings: Settings, reference: str, env: dict[str, str]) -> None:
    assert env.items() <= _env(settings(reference)).items()


def test_debian_has_exactly_the_packages_of_the_slim_image(bench: Bench) -> None:
    found = _shell(bench, DEBIAN, "dpkg-query --show --showformat='${Package}\\n'").split()

    assert sorted(found) == sorted(SLIM_PACKAGES.split())


def test_debian_has_no_documentation_and_nothing_of_the_machine_that_made_it(bench: Bench) -> None:
    folders = "/usr/share/man /usr/share/doc /var/lib/apt/lists /var/cache/apt /var/log"
    script = f"find {folders} -type f -size +0; cat /etc/machine-id"
    left = [path for path in _shell(bench, DEBIAN, script).split() if not path.endswith("/copyright")]

    assert left == []


def test_go_is_at_usr_local_go_and_builds_with_and_without_c(bench: Bench) -> None:
    (bench.folder / "main.go").write_text('package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n')
    script = "go version; go env GOROOT; cd /app; go run main.go; gcc --version >/dev/null; stat -c %a /go/src"
    answer = bench.run("sh", "-ec", script, dockerfile=f"FROM {GOLANG}\nCOPY main.go /app/\n")

    version, *rest = answer.output.splitlines()
    assert version.startswith("go version go1.27")
    assert rest == ["/usr/local/go", "hello", "1777"]


def test_python_is_upstreams_below_usr_local(bench: Bench) -> None:
    program = (
        "import bz2, ctypes, curses, dbm.ndbm, decimal, lzma, readline, sqlite3, ssl, uuid, zlib; "
        "import site, sys, sysconfig; "
        "print(sys.prefix, sys.base_prefix, sysconfig.get_default_scheme(), *site.getsitepackages())"
    )
    assert _shell(bench, PYTHON, f'python3 -c "{program}"').split() == [
        *("/usr/local", "/usr/local", "posix_prefix", "/usr/local/lib/python3.13/site-packages")
    ]


def test_python_has_pip_and_lacks_compiler_and_downloaders(bench: Bench) -> None:
    script = "pip --version; readlink /usr/local/bin/python; for tool in gcc curl wget git; do ! command -v $tool; done"
    output = _shell(bench, PYTHON, script)

    assert "from /usr/local/lib/python3.13/site-packages/pip (python 3.13)" in output
    assert output.splitlines()[1:] == ["python3.13"]


def test_python_needs_its_library_beside_it(bench: Bench) -> None:
    """The official image's interpreter is a small program and libpython3.13.so.1.0: one alone is of no use."""
    wrong = f"FROM {DEBIAN}\nCOPY --from={PYTHON} /usr/local/bin/python3.13 /usr/local/bin/\n"

    answer = bench.run("/usr/local/bin/python3.13", dockerfile=wrong)

    assert answer.code == 127
    assert "libpython3.13.so.1.0: cannot open shared object file" in answer.output


def test_node_has_npm_the_user_node_and_no_certificates(bench: Bench) -> None:
    script = (
        "node --version; npm --version; id -u node; test ! -e /etc/ssl/certs/ca-certificates.crt; ! command -v curl"
    )
    node, npm, user = _shell(bench, NODE, script).splitlines()

    assert node.startswith("v26.")
    assert npm.split(".")[0].isdigit()
    assert user == "1000"


@pytest.mark.parametrize(
    ("arguments", "output"),
    [(["-p", "1 + 1"], "2\n"), (["echo", "hello"], "hello\n"), (["/app/app.js"], "hello\n")],
    ids=["option", "command", "file"],
)
def test_nodes_entry_script_tells_node_from_other_commands(bench: Bench, arguments: list[str], output: str) -> None:
    (bench.folder / "app.js").write_text("console.log('hello')\n")

    assert bench.run(*arguments, dockerfile=f"FROM {NODE}\nCOPY --chmod=0644 app.js /app/\n").output == output


def test_maven_runs_on_jdk_25_alone_and_jlink_works(bench: Bench) -> None:
    script = (
        "mvn --batch-mode --version; jlink --add-modules java.base --output /tmp/small; /tmp/small/bin/java --version; "
        "ls /usr/lib/jvm 2>/dev/null || true; test -f /root/.m2/settings-docker.xml; echo config=$MAVEN_CONFIG."
    )
    output = _shell(bench, MAVEN, script)

    assert "Apache Maven 3.9" in output
    assert "runtime: /opt/java/openjdk" in output
    assert "openjdk 25" in output
    assert "java-21" not in output
    assert output.endswith("config=.\n"), "the entry script hides MAVEN_CONFIG from Maven"


def test_the_jre_maps_its_archive_of_shared_classes_and_has_no_compiler(bench: Bench) -> None:
    look = "java -Xshare:on -version; ! command -v javac; java --list-modules; ls -d $JAVA_HOME/lib/security/cacerts"
    output = _shell(bench, JRE, look)

    assert "sharing" in output
    assert "java.base@25" in output
    assert "jdk.compiler" not in output
    assert output.endswith("/opt/java/openjdk/lib/security/cacerts\n")


def test_a_temurin_that_should_import_certificates_ends_with_a_clear_word(bench: Bench) -> None:
    answer = bench.run("java", "-version", dockerfile=f"FROM {JRE}\nENV USE_SYSTEM_CA_CERTS=1\n")

    assert answer.code == 1
    assert "USE_SYSTEM_CA_CERTS: not supported by this stand-in" in answer.output


def test_no_byte_of_a_company_ca_stays_in_what_was_fetched_with_its_help(saved: Callable[[str], SavedImage]) -> None:
    company = ca.find()
    needles = ca.needles(company) if company else ()
    if not needles:
        pytest.skip("no company CA on this host")
    contents = saved(NODE).contents

    assert any(b"BEGIN" in content for content in contents.values()), "the files were really read"
    assert [path for path, content in contents.items() if any(needle in content for needle in needles)] == []
