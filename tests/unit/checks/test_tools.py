"""Tools are found by what they are, wherever they stand and whatever they are called."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from stageproof.checks import load
from stageproof.checks.subject import Subject
from stageproof.image import Image
from stageproof.model import Finding, Verdict

if TYPE_CHECKING:
    from tests.unit.conftest import Images

DASH = b"\0OPTIND\0getopts\0"
BASH = DASH + b"BASH_VERSINFO\0"
BUSYBOX = DASH + b"BusyBox v1.37.0\0multi-call binary\0"
CURL = b"Usage: curl [options...] <url>"


def decide(claim: str, image: Image, **parameters: object) -> Finding:
    return load(claim).check(Subject(image), **parameters)


NEGATIVE = [
    "no-shell",
    "no-package-manager",
    "no-download-tool",
    "no-editor",
    "no-compiler",
    "no-language-package-manager",
]


@pytest.mark.parametrize("claim", NEGATIVE)
def test_an_image_of_the_app_alone_holds_no_tool(images: Images, claim: str) -> None:
    assert decide(claim, images.app()).verdict is Verdict.PASS


@pytest.mark.parametrize("claim", NEGATIVE)
def test_without_the_image_s_own_program_nothing_is_proved(images: Images, claim: str) -> None:
    finding = decide(claim, images.image([images.file("a")], Entrypoint=["/app/run"]))
    assert finding.verdict is Verdict.UNKNOWN
    assert "/app/run" in finding.evidence[0].text


@pytest.mark.parametrize("claim", NEGATIVE)
def test_without_any_command_nothing_is_proved(images: Images, claim: str) -> None:
    assert decide(claim, images.image([images.file("a")])).verdict is Verdict.UNKNOWN


def test_a_renamed_shell_is_found_by_content(images: Images) -> None:
    finding = decide("no-shell", images.app(images.file("usr/lib/helper.bin", images.elf(text=BASH), 0o755)))
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence[0].path == "/usr/lib/helper.bin"
    assert finding.evidence[0].layer == 2
    assert finding.evidence[0].created_by == "COPY step 2"
    assert "by content" in finding.evidence[0].text


def test_a_hard_link_to_a_shell_is_a_shell(images: Images) -> None:
    shell = images.file("bin/x", images.elf(text=DASH), 0o755)
    assert len(decide("no-shell", images.app(shell, images.hard_link("opt/y", "bin/x"))).evidence) == 2


def test_an_unknown_program_that_is_called_sh_is_taken_for_a_shell(images: Images) -> None:
    assert decide("no-shell", images.app(images.file("bin/sh", images.elf(), 0o755))).verdict is Verdict.FAIL


def test_a_dangling_link_and_a_text_called_sh_are_no_shell(images: Images) -> None:
    image = images.app(images.link("bin/sh", "dash"), images.file("usr/bin/bash", b"just text", 0o755))
    assert decide("no-shell", image).verdict is Verdict.PASS


def test_a_shell_that_only_a_lower_layer_holds_is_told_and_no_fault(images: Images) -> None:
    base = [images.file("bin/dash", images.elf(text=DASH), 0o755), images.file("run", images.elf(), 0o755)]
    image = images.image(base, [images.file("bin/.wh.dash", b"")], Entrypoint=["/run"])
    finding = decide("no-shell", image)
    assert finding.verdict is Verdict.PASS
    assert finding.evidence[0].path == "/bin/dash"
    assert finding.evidence[0].layer == 1


def test_the_debug_image_may_hold_busybox_in_its_folder_and_no_other_shell(images: Images) -> None:
    busybox = images.file("busybox/busybox", images.elf(text=BUSYBOX), 0o755)
    assert decide("no-shell", images.app(busybox), busybox="/busybox").verdict is Verdict.PASS
    assert decide("no-shell", images.app(busybox)).verdict is Verdict.FAIL
    more = images.file("bin/bash", images.elf(text=BASH), 0o755)
    finding = decide("no-shell", images.app(busybox, more), busybox="/busybox")
    assert [evidence.path for evidence in finding.evidence] == ["/bin/bash"]


def test_busybox_in_another_folder_is_a_fault_of_the_debug_image_too(images: Images) -> None:
    image = images.app(images.file("bin/busybox", images.elf(text=BUSYBOX), 0o755))
    assert decide("no-shell", image, busybox="/busybox").verdict is Verdict.FAIL


def test_a_debug_image_without_busybox_is_a_fault(images: Images) -> None:
    assert decide("no-shell", images.app(), busybox="/busybox").verdict is Verdict.FAIL


@pytest.mark.parametrize("claim", ["no-package-manager", "no-download-tool", "no-editor"])
def test_busybox_s_own_applets_are_allowed_in_the_debug_image_only(images: Images, claim: str) -> None:
    image = images.app(images.file("busybox/busybox", images.elf(text=BUSYBOX), 0o755))
    assert decide(claim, image).verdict is Verdict.FAIL
    assert decide(claim, image, busybox="/busybox").verdict is Verdict.PASS


def test_a_renamed_curl_is_found(images: Images) -> None:
    finding = decide("no-download-tool", images.app(images.file("opt/c", images.elf(text=CURL), 0o755)))
    assert finding.evidence[0].text == "curl, found by content and not by name"


def test_apt_is_found_by_its_library(images: Images) -> None:
    apt = images.elf("/ld.so", ["libapt-pkg.so.7.0", "libc.so.6"])
    assert decide("no-package-manager", images.app(images.file("x", apt, 0o755))).verdict is Verdict.FAIL


def test_a_script_called_yum_is_a_package_manager_and_one_in_etc_is_not(images: Images) -> None:
    script = b"#!/usr/bin/python3\n"
    assert decide("no-package-manager", images.app(images.file("usr/bin/yum", script, 0o755))).evidence
    cron = images.file("etc/cron.daily/dpkg", script, 0o755)
    assert decide("no-package-manager", images.app(cron)).verdict is Verdict.PASS


def test_the_records_of_dpkg_are_no_package_manager(images: Images) -> None:
    image = images.app(images.file("var/lib/dpkg/status", b"Package: dpkg\n"), images.file("etc/apt/sources.list"))
    assert decide("no-package-manager", image).verdict is Verdict.PASS


@pytest.mark.parametrize("name", ["vim.tiny", "nano", "ed", "vi"])
def test_editors_are_found(images: Images, name: str) -> None:
    assert decide("no-editor", images.app(images.file(f"usr/bin/{name}", images.elf(), 0o755))).verdict is Verdict.FAIL


@pytest.mark.parametrize("name", ["x86_64-linux-gnu-gcc-14", "cc1", "ld.bfd", "javac", "go", "mvn", "make"])
def test_compilers_and_build_tools_are_found_by_name(images: Images, name: str) -> None:
    tool = images.file(f"opt/bin/{name}", images.elf(), 0o755)
    assert decide("no-compiler", images.app(tool)).verdict is Verdict.FAIL


def test_a_renamed_assembler_is_found_by_content(images: Images) -> None:
    tool = images.file("opt/x", images.elf(text=b"GNU assembler version 2.44"), 0o755)
    assert decide("no-compiler", images.app(tool)).verdict is Verdict.FAIL


def test_a_java_runtime_with_the_compiler_s_module_holds_a_compiler(images: Images) -> None:
    def release(modules: str) -> Image:
        text = f'JAVA_VERSION="25"\nMODULES="{modules}"\n'.encode()
        return images.app(images.file("opt/java/release", text))

    assert decide("no-compiler", release("java.base java.compiler jdk.compiler")).verdict is Verdict.FAIL
    assert decide("no-compiler", release("java.base java.compiler java.desktop")).verdict is Verdict.PASS


def test_maven_is_found_by_its_jar(images: Images) -> None:
    assert decide("no-compiler", images.app(images.file("m/lib/maven-core-3.9.9.jar"))).verdict is Verdict.FAIL


def test_data_that_bears_a_compiler_s_name_is_none(images: Images) -> None:
    image = images.app(images.file("app/go", b"data", 0o755), images.folder("usr/lib/gcc"))
    assert decide("no-compiler", image).verdict is Verdict.PASS


def wheel() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("pip/_internal/cli/main.py", "x")
    return out.getvalue()


def test_pip_is_found_as_command_as_package_and_as_wheel(images: Images) -> None:
    for member in (
        images.file("usr/local/bin/pip3.13", b"#!/usr/bin/python3\n", 0o755),
        images.file("x/pip/_internal/cli/main.py"),
        images.file("x/pip-25.1.dist-info/METADATA", b"Metadata-Version: 2.1\nName: pip\nVersion: 25.1\n\nText"),
        images.file("lib/ensurepip/_bundled/pip-25.1-py3-none-any.whl", wheel()),
    ):
        assert decide("no-language-package-manager", images.app(member)).verdict is Verdict.FAIL, member.path


def test_npm_without_its_command_is_found_by_its_package(images: Images) -> None:
    about = json.dumps({"name": "npm", "version": "11.1.0", "bin": {"npm": "bin/npm-cli.js"}}).encode()
    image = images.app(images.file("opt/renamed/package.json", about))
    assert decide("no-language-package-manager", image).verdict is Verdict.FAIL


def test_other_packages_are_no_package_manager(images: Images) -> None:
    image = images.app(
        images.file("app/node_modules/fastify/package.json", b'{"name": "fastify", "bin": {"x": "y"}}'),
        images.file("app/x/flask-3.dist-info/METADATA", b"Name: Flask\nVersion: 3\n\n"),
        images.file("app/fixture/package.json", b'{"name": "npm"}'),
        images.file("app/broken/package.json", b"{"),
    )
    assert decide("no-language-package-manager", image).verdict is Verdict.PASS


def test_a_toolchain_is_found_where_one_is_and_missed_where_none_is(images: Images) -> None:
    go = images.file("usr/local/go/bin/go", images.elf(text=b"cmd/go/internal/modload"), 0o755)
    assert decide("has-toolchain", images.app(go)).verdict is Verdict.PASS
    assert decide("has-toolchain", images.app()).verdict is Verdict.FAIL
