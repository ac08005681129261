"""Whether the kernel would start the command is judged step by step, as the kernel and the loader do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stageproof import verify
from stageproof.checks import load
from stageproof.checks.subject import Subject
from stageproof.image import Image, kept
from stageproof.model import Claim, Finding, Verdict

if TYPE_CHECKING:
    from tests.unit.conftest import Images, Member

GLIBC = "/lib64/ld-linux-x86-64.so.2"
MUSL = "/lib/ld-musl-x86_64.so.1"
USER = "65532:65532"


def entrypoint(image: Image) -> Finding:
    return load("entrypoint-resolves").check(Subject(image))


def problem(image: Image) -> str:
    finding = entrypoint(image)
    assert finding.verdict is Verdict.FAIL, finding
    return finding.evidence[0].text


def glibc(images: Images) -> list[Member]:
    return [
        images.link("lib64", "usr/lib64"),
        images.link("lib", "usr/lib"),
        images.file("usr/lib64/ld-linux-x86-64.so.2", images.elf(soname="ld-linux-x86-64.so.2"), 0o755),
        images.file("usr/lib/x86_64-linux-gnu/libc.so.6", images.elf(has=["GLIBC_2.34"])),
    ]


def test_a_static_program_starts(images: Images) -> None:
    assert entrypoint(images.app()).verdict is Verdict.PASS


def test_no_command_at_all_fails(images: Images) -> None:
    finding = entrypoint(images.image([images.file("a")]))
    assert finding.verdict is Verdict.FAIL
    assert "has no entry point" in finding.message


def test_a_user_that_the_image_does_not_know_cannot_start_anything(images: Images) -> None:
    assert problem(images.app(User="somebody")) == "the image does not know its USER 'somebody'"
    assert problem(images.app(User="1:somebodies")) == "the image does not know its USER '1:somebodies'"
    assert "the largest number is" in problem(images.app(User="2147483648"))


def test_a_working_folder_may_be_absent_but_must_be_no_file(images: Images) -> None:
    assert entrypoint(images.app(WorkingDir="/nowhere")).verdict is Verdict.PASS
    assert problem(images.app(images.file("w"), WorkingDir="/w")) == "WORKDIR is a file, not a folder"


def test_accounts_that_cannot_be_looked_at_leave_the_question_open(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "LARGEST", 10)
    image = images.app(images.file("etc/passwd", b"u:x:7:7::/h:\n" * 9), User="u")
    finding = verify.decide(Claim("entrypoint-resolves"), Subject(image))
    assert finding.verdict is Verdict.UNKNOWN
    assert "too large to be looked at" in finding.message


def test_a_missing_file_is_named(images: Images) -> None:
    assert problem(images.app(Entrypoint=["/app/nothing"])) == "/app/nothing is not there"


def test_a_relative_command_starts_from_the_working_folder(images: Images) -> None:
    assert entrypoint(images.app(Entrypoint=["./run"], WorkingDir="/app")).verdict is Verdict.PASS
    assert problem(images.app(Entrypoint=["./run"])) == "./run: /run is not there"


def test_a_bare_name_is_looked_for_in_the_path(images: Images) -> None:
    assert entrypoint(images.app(Entrypoint=["run"], Env=["PATH=/bin:/app"])).verdict is Verdict.PASS
    assert "in no folder of PATH (/bin)" in problem(images.app(Entrypoint=["run"], Env=["PATH=/bin"]))


def test_a_file_that_the_user_may_not_execute_is_named_with_its_mode(images: Images) -> None:
    image = images.app(images.file("app/x", images.elf(), 0o700), Entrypoint=["/app/x"], User=USER)
    assert problem(image) == "/app/x may not be executed by uid 65532 (mode 0700, owner 0:0)"


def test_a_closed_folder_on_the_way_is_named(images: Images) -> None:
    members = [images.folder("root", 0o700), images.file("root/x", images.elf(), 0o755)]
    image = images.app(*members, Entrypoint=["/root/x"], User=USER)
    assert problem(image) == "/root may not be entered by uid 65532 (mode 0700, owner 0:0)"
    assert entrypoint(images.app(*members, Entrypoint=["/root/x"], User="0")).verdict is Verdict.PASS


def test_a_program_for_another_cpu_is_told(images: Images) -> None:
    image = images.app(images.file("app/x", images.elf(machine=183), 0o755), Entrypoint=["/app/x"])
    assert "another CPU" in problem(image)


def test_text_without_a_first_line_is_no_program(images: Images) -> None:
    assert "exec format error" in problem(images.app(images.file("x", b"echo hi\n", 0o755), Entrypoint=["/x"]))


def test_a_folder_is_no_program(images: Images) -> None:
    assert problem(images.app(Entrypoint=["/app"])) == "/app is a folder, not a file"


def test_a_missing_loader_is_named_and_not_the_program(images: Images) -> None:
    image = images.app(images.file("x", images.elf(GLIBC, ["libc.so.6"]), 0o755), Entrypoint=["/x"])
    assert problem(image) == f"/x needs a loader: {GLIBC}: /lib64 is not there"


def test_a_dynamic_program_starts_with_its_libraries(images: Images) -> None:
    program = images.elf(GLIBC, ["libc.so.6"], needs={"libc.so.6": ["GLIBC_2.34"]})
    image = images.app(*glibc(images), images.file("x", program, 0o755), Entrypoint=["/x"])
    assert entrypoint(image).verdict is Verdict.PASS


def test_a_missing_library_of_a_library_is_named(images: Images) -> None:
    deep = images.file("usr/lib/libdeep.so", images.elf(needed=["libdeeper.so"]))
    program = images.file("x", images.elf(GLIBC, ["libdeep.so"]), 0o755)
    assert "libdeep.so needs libdeeper.so" in problem(images.app(*glibc(images), deep, program, Entrypoint=["/x"]))


def test_a_library_in_a_closed_folder_is_not_found(images: Images) -> None:
    program = images.file("x", images.elf(GLIBC, ["libmine.so"], runpath="/opt/lib"), 0o755)
    members = [*glibc(images), program, images.file("opt/lib/libmine.so", images.elf())]
    assert entrypoint(images.app(*members, Entrypoint=["/x"])).verdict is Verdict.PASS
    closed = images.app(*members, images.folder("opt", 0o700), Entrypoint=["/x"])
    assert "libmine.so, which is in no folder" in problem(closed)


def test_a_newer_symbol_version_than_the_library_has_is_named(images: Images) -> None:
    program = images.elf(GLIBC, ["libc.so.6"], needs={"libc.so.6": ["GLIBC_2.38"]})
    image = images.app(*glibc(images), images.file("x", program, 0o755), Entrypoint=["/x"])
    assert "needs GLIBC_2.38 of libc.so.6" in problem(image)


def test_runpath_and_origin_are_followed(images: Images) -> None:
    program = images.elf(GLIBC, ["libmine.so"], runpath="$ORIGIN/../lib")
    members = [images.file("opt/bin/x", program, 0o755), images.file("opt/lib/libmine.so", images.elf())]
    linked = images.link("bin/x", "/opt/bin/x")
    assert entrypoint(images.app(*glibc(images), *members, linked, Entrypoint=["/bin/x"])).verdict is Verdict.PASS


def test_rpath_counts_for_the_libraries_of_libraries_and_runpath_does_not(images: Images) -> None:
    libraries = [
        images.file("opt/lib/liba.so", images.elf(needed=["libb.so"])),
        images.file("opt/lib/libb.so", images.elf()),
    ]
    by_rpath = images.file("x", images.elf(GLIBC, ["liba.so"], rpath="/opt/lib"), 0o755)
    by_runpath = images.file("x", images.elf(GLIBC, ["liba.so"], runpath="/opt/lib"), 0o755)
    good = images.app(*glibc(images), *libraries, by_rpath, Entrypoint=["/x"])
    bad = images.app(*glibc(images), *libraries, by_runpath, Entrypoint=["/x"])
    assert entrypoint(good).verdict is Verdict.PASS
    assert "liba.so needs libb.so" in problem(bad)


def test_folders_of_ld_so_conf_count_only_with_the_cache_made_of_them(images: Images) -> None:
    members = [
        *glibc(images),
        images.file("opt/lib/libmine.so", images.elf()),
        images.file("etc/ld.so.conf.d/mine.conf", b"# mine\n/opt/lib\n"),
        images.file("x", images.elf(GLIBC, ["libmine.so"]), 0o755),
    ]
    assert "libmine.so" in problem(images.app(*members, Entrypoint=["/x"]))
    cache = images.file("etc/ld.so.cache", b"cache")
    assert entrypoint(images.app(*members, cache, Entrypoint=["/x"])).verdict is Verdict.PASS


def test_a_library_for_another_cpu_is_passed_over(images: Images) -> None:
    wrong = images.file("usr/lib/libmine.so", images.elf(machine=183))
    image = images.app(
        *glibc(images), wrong, images.file("x", images.elf(GLIBC, ["libmine.so"]), 0o755), Entrypoint=["/x"]
    )
    assert "libmine.so" in problem(image)


def test_ld_library_path_is_looked_at(images: Images) -> None:
    members = [*glibc(images), images.file("opt/libmine.so", images.elf())]
    program = images.file("x", images.elf(GLIBC, ["libmine.so"]), 0o755)
    image = images.app(*members, program, Entrypoint=["/x"], Env=["LD_LIBRARY_PATH=/opt"])
    assert entrypoint(image).verdict is Verdict.PASS


def test_a_musl_program_on_a_glibc_image_fails_by_its_loader(images: Images) -> None:
    program = images.file("x", images.elf(MUSL, ["libc.musl-x86_64.so.1"]), 0o755)
    assert MUSL in problem(images.app(*glibc(images), program, Entrypoint=["/x"]))


def test_a_musl_program_starts_where_its_loader_is(images: Images) -> None:
    image = images.app(
        images.file("lib/ld-musl-x86_64.so.1", images.elf(), 0o755),
        images.file("usr/lib/libmine.so", images.elf(needed=["libc.so"])),
        images.file("x", images.elf(MUSL, ["libc.musl-x86_64.so.1", "libmine.so"]), 0o755),
        Entrypoint=["/x"],
    )
    assert entrypoint(image).verdict is Verdict.PASS


def test_a_script_needs_its_interpreter(images: Images) -> None:
    script = images.file("x", b"#!/usr/local/bin/python3.11 -u\n", 0o755)
    assert "#!/usr/local/bin/python3.11" in problem(images.app(script, Entrypoint=["/x"]))
    python = images.file("usr/local/bin/python3.11", images.elf(), 0o755)
    assert entrypoint(images.app(script, python, Entrypoint=["/x"])).verdict is Verdict.PASS


def test_env_needs_the_program_that_it_is_told_to_find(images: Images) -> None:
    script = images.file("x", b"#!/usr/bin/env node\n", 0o755)
    env = images.file("usr/bin/env", images.elf(), 0o755)
    assert "node is in no folder of PATH" in problem(images.app(script, env, Entrypoint=["/x"]))


def test_scripts_that_interpret_each_other_end(images: Images) -> None:
    image = images.app(images.file("x", b"#!/x\n", 0o755), Entrypoint=["/x"])
    assert "interpreters call each other" in problem(image)


def test_the_shell_form_needs_a_shell(images: Images) -> None:
    assert "/bin/sh" in problem(images.app(Entrypoint=["/bin/sh", "-c", "/app/run"]))
    shell = images.file("bin/sh", images.elf(text=b"OPTIND getopts"), 0o755)
    assert entrypoint(images.app(shell, Entrypoint=["/bin/sh", "-c", "exec /app/run"])).verdict is Verdict.PASS
    assert "/app/gone" in problem(images.app(shell, Entrypoint=["/bin/sh", "-c", "/app/gone --now"]))


@pytest.mark.parametrize(
    ("command", "works"),
    [
        (["/bin/node", "server.js"], True),
        (["/bin/node", "--max-old-space-size=50", "-r", "./hook.js", "server"], True),
        (["/bin/node", "node", "server.js"], False),
        (["/bin/node", "-e", "1"], True),
        (["/bin/python3", "-X", "dev", "app.py"], True),
        (["/bin/python3", "python", "app.py"], False),
        (["/bin/python3", "-m", "app"], True),
        (["/bin/java", "-Xmx1g", "-jar", "app.jar"], True),
        (["/bin/java", "-jar", "other.jar"], False),
        (["/bin/java", "-cp", "x", "Main"], True),
    ],
)
def test_the_script_that_an_interpreter_is_told_to_run_must_be_there(
    images: Images, command: list[str], *, works: bool
) -> None:
    image = images.app(
        *(images.file(f"bin/{name}", images.elf(), 0o755) for name in ("node", "python3", "java")),
        *(images.file(f"app/{name}") for name in ("server.js", "app.py", "app.jar")),
        Entrypoint=command[:1],
        Cmd=command[1:],
        WorkingDir="/app",
    )
    assert (entrypoint(image).verdict is Verdict.PASS) == works


def health(image: Image) -> Finding:
    return load("healthcheck-resolves").check(Subject(image))


def test_a_health_check_in_exec_form_resolves(images: Images) -> None:
    assert health(images.app(Healthcheck={"Test": ["CMD", "/app/run", "healthcheck"]})).verdict is Verdict.PASS


def test_no_health_check_and_none_both_fail(images: Images) -> None:
    assert health(images.app()).verdict is Verdict.FAIL
    assert health(images.app(Healthcheck={"Test": ["NONE"]})).evidence[0].text == "HEALTHCHECK is NONE"


def test_a_health_check_that_calls_a_missing_curl_fails(images: Images) -> None:
    shell = images.file("bin/sh", images.elf(text=b"OPTIND getopts"), 0o755)
    finding = health(images.app(shell, Healthcheck={"Test": ["CMD-SHELL", "curl -f http://localhost/ || exit 1"]}))
    assert finding.verdict is Verdict.FAIL
    assert "curl is in no folder of PATH" in finding.evidence[0].text


def test_a_health_check_in_shell_form_fails_without_a_shell(images: Images) -> None:
    assert health(images.app(Healthcheck={"Test": ["CMD-SHELL", "/app/run"]})).verdict is Verdict.FAIL


def test_the_health_check_of_an_unknown_user_fails(images: Images) -> None:
    image = images.app(Healthcheck={"Test": ["CMD", "/app/run"]}, User="somebody")
    assert health(image).verdict is Verdict.FAIL
