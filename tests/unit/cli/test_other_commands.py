"""The other commands: help without weight, explain, claims, record, and the imports."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from stageproof import checks, cli, contract

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Archive, Command
    from tests.unit.conftest import Images

HEAVY = ("docker", "requests", "rich", "yaml", "stageproof.image", "stageproof.live", "stageproof.checks")


def test_help_names_every_command_and_imports_none(root: Path) -> None:
    code = f"""
import sys
sys.argv = ["stageproof", "--help"]
from stageproof.cli import main
try:
    main()
finally:
    print([name for name in {HEAVY!r} if name in sys.modules])
"""
    told = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
    assert told.endswith("[]\n")
    for name in ("claims", "doctor", "explain", "import-cst", "import-goss", "record", "verify"):
        assert f"\n  {name} " in told


def test_every_command_has_its_help_and_its_line_in_the_list() -> None:
    context = click.Context(cli.stageproof)
    for name in cli.stageproof.list_commands(context):
        found = cli.stageproof.get_command(context, name)
        assert found is not None
        assert found.name == name
        assert found.help
        assert cli.purpose(name).endswith(".")


def test_output_that_nobody_reads_is_no_pass_and_no_traceback(root: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", "from stageproof.cli import main; main()", "claims"]
    told = subprocess.run(command, cwd=root, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (told.returncode, told.stderr) == (141, b"")


def test_an_unknown_command_is_answered_with_the_nearest(command: Command) -> None:
    told = command("veriffy")
    assert told.code == 2
    assert "did you mean verify?" in told.err


@pytest.mark.parametrize("claim", sorted(checks.names()))
def test_explain_tells_every_claim_its_reason_and_its_fix(command: Command, claim: str) -> None:
    told = command("explain", claim)
    assert told.code == 0
    assert told.out.startswith(f"# {claim}\n")
    assert "**Why.**" in told.out
    assert f"`{claim} = {{" in told.out


def test_explain_names_the_parameters(command: Command) -> None:
    out = command("explain", "size-budget").out
    assert "- `disk`: float, by default 0" in out
    assert "**Needs.** the image alone." in out
    assert "a running container (--run)" in command("explain", "ports-match").out


def test_explain_answers_an_unknown_claim_with_the_nearest(command: Command) -> None:
    told = command("explain", "no-shel")
    assert (told.code, told.out) == (2, "")
    assert "no-shell" in told.err


def test_claims_lists_every_claim_or_those_of_a_contract(command: Command) -> None:
    out = command("claims").out
    assert [line.split()[0] for line in out.splitlines()] == list(checks.names())
    assert "(--run)" in next(line for line in out.splitlines() if line.startswith("ports-match "))
    listed = command("claims", "--contract", "plain").out.splitlines()
    assert [line.split()[0] for line in listed] == [claim.id for claim in contract.find("plain").claims]


def test_a_recorded_contract_holds_for_its_image_and_for_no_worse_one(
    command: Command, archive: Archive, images: Images
) -> None:
    good = archive("good.tar", images.file("etc/passwd", b"app:x:65532:65532::/:/none\n"), Labels={"version": "1"})
    told = command("record", good, "--output", "good.toml")
    assert told.code == 0
    assert "claims recorded" in told.err
    assert command("verify", good, "--contract", "good.toml").code == 0
    sh = images.file("bin/sh", images.elf(text=b"OPTIND\0getopts\0"), 0o755)
    worse = command("verify", archive("bad.tar", sh, User="0"), "--contract", "good.toml")
    assert worse.code == 1
    for claim in ("no-shell", "non-root-user", "config-as-stated", "labels-present"):
        assert f" {claim}\n" in worse.out


def test_a_recorded_contract_has_what_was_measured(command: Command, archive: Archive, images: Images) -> None:
    big = images.file("app/data", b"\0" * 3_000_000)
    text = command("record", archive("good.tar", big, ExposedPorts={"8080/tcp": {}})).out
    claims = tomllib.loads(text)["claims"]
    assert claims["size-budget"]["disk"] == pytest.approx(3.4)
    assert claims["layer-count"] == {"most": 2}
    assert claims["config-as-stated"]["exposed"] == ["8080/tcp"]
    assert claims["config-as-stated"]["user"] == "65532:65532"


def test_what_does_not_hold_stands_in_a_recorded_contract_as_a_comment(
    command: Command, archive: Archive, images: Images
) -> None:
    sh = images.file("bin/sh", images.elf(text=b"OPTIND\0getopts\0"), 0o755)
    told = command("record", archive("bad.tar", sh, Labels={"x": "\x1b[2J\n[claims]"}))
    assert told.code == 0
    assert "no-shell" not in tomllib.loads(told.out)["claims"]
    assert "# Not in it, since it does not hold:\n" in told.out
    assert "#   no-shell: contains a shell\n#     /bin/sh" in told.out
    assert "no-shell" in told.err
    decided = {line.removeprefix("#   ").partition(":")[0] for line in told.out.splitlines() if line.startswith("#   ")}
    waiting = told.out.partition("(--run):")[2].replace("#", "").replace(",", " ").split()
    assert "wrong-clock" in told.out.partition("# Not asked, since it costs an image more")[2]
    assert decided | set(waiting) | set(tomllib.loads(told.out)["claims"]) >= set(checks.names())


def test_no_secret_of_the_image_is_written_into_a_contract(command: Command, archive: Archive) -> None:
    hidden = "hunter2-7f3a9c"
    path = archive(
        "bad.tar",
        Entrypoint=["/app/run", f"--password={hidden}"],
        Env=[f"DB_PASSWORD={hidden}"],
        Labels={"note": f"token={hidden}"},
    )
    told = command("record", path)
    assert told.code == 0
    assert hidden not in told.out + told.err
    assert "entrypoint" not in tomllib.loads(told.out)["claims"]["config-as-stated"]


def test_a_record_keeps_to_the_claims_of_a_contract(command: Command, archive: Archive) -> None:
    Path("some.toml").write_text("[claims]\nno-shell = { report = true }\nsize-budget = { disk = 1, pull = 1 }\n")
    claims = tomllib.loads(command("record", archive("good.tar"), "--contract", "some.toml").out)["claims"]
    assert claims == {"no-shell": {}, "size-budget": {"disk": 1, "pull": 1}}


def test_an_import_writes_a_contract_and_says_what_is_missing(command: Command, archive: Archive) -> None:
    text = "file: {/app/run: {exists: true}, /bin/sh: {exists: false}}\ncommand: {ls: {exit-status: 0}}\n"
    Path("goss.yaml").write_text(text, encoding="utf-8")
    told = command("import-goss", "goss.yaml", "--output", "goss.toml")
    assert (told.code, told.out) == (0, "")
    assert "not carried over: command ls" in told.err
    assert "#   command ls: it runs a program" in Path("goss.toml").read_text(encoding="utf-8")
    assert command("verify", archive("good.tar"), "--contract", "goss.toml").code == 0


def test_an_import_of_structure_tests_is_kept_by_a_good_image_only(
    command: Command, archive: Archive, images: Images
) -> None:
    text = (
        'schemaVersion: "2.0.0"\nmetadataTest: {user: "65532:65532"}\n'
        "fileContentTests: [{name: conf, path: /etc/app.conf, expectedContents: [hello], excludedContents: [bye]}]\n"
    )
    Path("cst.yaml").write_text(text, encoding="utf-8")
    Path("cst.toml").write_text(command("import-cst", "cst.yaml").out, encoding="utf-8")
    good = archive("good.tar", images.file("etc/app.conf", b"hello"))
    assert command("verify", good, "--contract", "cst.toml").code == 0
    bad = archive("bad.tar", images.file("etc/app.conf", b"hello and bye"))
    assert command("verify", bad, "--contract", "cst.toml").code == 1


def test_an_import_of_nothing_is_an_error_of_the_file(command: Command) -> None:
    Path("goss.yaml").write_text("command: {ls: {exit-status: 0}}", encoding="utf-8")
    told = command("import-goss", "goss.yaml")
    assert (told.code, told.out) == (4, "")
