"""`stageproof verify` on archives: what it says, where it goes, and the exit code."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks import attested

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Archive, Command
    from tests.unit.conftest import Images

CLAIMS = "no-shell,non-root-user"
LATER = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()


def shell(images: Images) -> object:
    return images.file("bin/sh", images.elf(text=b"OPTIND\0getopts\0"), 0o755)


def test_an_image_for_which_everything_holds_ends_with_zero(command: Command, archive: Archive) -> None:
    told = command("verify", archive("good.tar"), "--claims", CLAIMS)
    assert (told.code, told.err) == (0, "")
    assert "2 hold." in told.out
    assert "exit" not in told.out


def test_a_claim_that_does_not_hold_ends_with_one(command: Command, archive: Archive, images: Images) -> None:
    told = command("verify", archive("bad.tar", shell(images)), "--claims", CLAIMS)
    assert told.code == 1
    assert "✘ contains a shell" in told.out
    assert "/bin/sh" in told.out
    assert "1 holds, 1 does not." in told.out


def test_what_could_not_be_shown_ends_with_three(command: Command, archive: Archive) -> None:
    told = command("verify", archive("odd.tar", Entrypoint=["/none"]), "--claims", "no-shell")
    assert told.code == 3
    assert "? could not be shown" in told.out


def test_a_broken_claim_counts_more_than_an_unknown_one(command: Command, archive: Archive) -> None:
    told = command("verify", archive("odd.tar", Entrypoint=["/none"]), "--claims", "no-shell,entrypoint-resolves")
    assert told.code == 1


def test_a_contract_names_the_second_build_and_it_is_read_too(
    command: Command, archive: Archive, images: Images
) -> None:
    archive("first.tar", images.file("app/stamp", b"1"))
    archive("same.tar", images.file("app/stamp", b"1"), Labels={"built": "later"})
    archive("other.tar", images.file("app/stamp", b"2"))
    for second, code in (("same.tar", 0), ("other.tar", 1), ("missing.tar", 30)):
        Path("again.toml").write_text(f'[claims]\nreproducible = {{ second = "{second}" }}\n', encoding="utf-8")
        assert command("verify", "first.tar", "--contract", "again.toml").code == code, second


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [
        ((), "no image was named"),
        (("x.tar", "--claims", "no-shel"), "did you mean no-shell"),
        (("x.tar", "--contract", "distrolss"), "did you mean distroless?"),
        (("x.tar", "--format", "jsn"), "there is no format 'jsn'"),
        (("x.tar", "--format", "json,sarif"), "cannot both go"),
        (("x.tar", "--claim", "no-shell"), "--claim"),
        (("x.tar", "--run"), "x.tar cannot be run"),
        (("x.tar", "--dockerfile", "none"), "none"),
    ],
)
def test_wrong_usage_ends_with_two(command: Command, arguments: tuple[str, ...], seen: str) -> None:
    told = command("verify", *arguments)
    assert (told.code, told.out) == (2, "")
    assert seen in told.err
    assert "exit 2" in told.err


def test_an_archive_that_cannot_be_read_ends_with_its_own_code_and_no_findings(command: Command) -> None:
    Path("bad.tar").write_bytes(b"no archive at all" * 100)
    told = command("verify", "bad.tar", "--format", "json")
    assert (told.code, told.out) == (30, "")


def test_a_name_without_an_engine_is_an_error_of_the_engine(command: Command) -> None:
    told = command("verify", "somebody/api:2.1")
    assert told.code == 16
    assert "DOCKER_HOST" in told.err


def test_claims_about_a_running_container_wait_for_run(command: Command, archive: Archive) -> None:
    told = command("verify", archive("good.tar"), "--claims", "no-shell,ports-match,graceful-stop")
    assert told.code == 0
    assert "1 holds, 2 need --run." in told.out


def test_several_formats_go_to_their_places_at_once(command: Command, archive: Archive, images: Images) -> None:
    path = archive("bad.tar", shell(images))
    told = command(
        "verify",
        path,
        "--claims",
        CLAIMS,
        "--format",
        "github",
        "--format",
        "json:r.json,sarif:r.sarif",
        "--format",
        "junit:r.xml",
    )
    assert told.code == 1
    assert told.out.startswith("::error title=no-shell")
    assert json.loads(Path("r.json").read_text(encoding="utf-8"))["images"][0]["contract"] == "any-image"
    assert {path.name for path in Path().iterdir()} == {"bad.tar", "r.json", "r.sarif", "r.xml"}


def test_output_alone_leaves_the_answer_on_the_terminal(command: Command, archive: Archive) -> None:
    told = command("verify", archive("good.tar"), "--claims", CLAIMS, "--format", "json", "--output", "r.json")
    assert "2 hold." in told.out
    assert Path("r.json").is_file()


def test_the_same_image_gives_the_same_json_but_for_the_times(
    command: Command, archive: Archive, images: Images
) -> None:
    path = archive("bad.tar", shell(images))
    first, second = (json.loads(command("verify", path, "--format", "json").out) for _ in range(2))
    for document in (first, second):
        for finding in document["images"][0]["findings"]:
            del finding["seconds"]
    assert json.dumps(first) == json.dumps(second)


def test_an_image_can_come_by_standard_input(
    command: Command, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Path(archive("good.tar")).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert command("verify", "-", "--claims", CLAIMS).code == 0


def test_several_images_are_decided_one_by_one(command: Command, archive: Archive, images: Images) -> None:
    told = command(
        "verify", archive("good.tar"), archive("bad.tar", shell(images)), "--claims", "no-shell", "--format", "json"
    )
    assert told.code == 1
    verdicts = [(image["source"], image["findings"][0]["verdict"]) for image in json.loads(told.out)["images"]]
    assert verdicts == [("good.tar", "pass"), ("bad.tar", "fail")]


def test_the_default_contract_only_reports_what_is_a_matter_of_choice(
    command: Command, archive: Archive, images: Images
) -> None:
    path = archive("bad.tar", shell(images))
    told = json.loads(command("verify", path, "--format", "json").out)
    standings = {finding["claim"]: finding["standing"] for finding in told["images"][0]["findings"]}
    assert standings["no-shell"] == "reported"
    assert command("verify", path, "--claims", "no-shell").code == 1


def test_the_settings_of_the_folder_name_contract_and_sources(command: Command, archive: Archive) -> None:
    archive("good.tar")
    Path("mine.toml").write_text("[claims]\nnon-root-user = {}\n", encoding="utf-8")
    Path("stageproof.toml").write_text('contract = "mine.toml"\nsources = ["good.tar"]\n', encoding="utf-8")
    told = command("verify")
    assert told.code == 0
    assert "contract mine" in told.out


def ignore(text: str) -> None:
    Path("stageproof.toml").write_text(f"[[ignore]]\n{text}\n", encoding="utf-8")


def test_what_is_ignored_is_shown_with_its_reason_and_is_no_pass(
    command: Command, archive: Archive, images: Images
) -> None:
    ignore(f'claim = "no-shell"\nreason = "until the next release"\nuntil = {LATER}')
    path = archive("bad.tar", shell(images))
    told = command("verify", path, "--claims", CLAIMS)
    assert told.code == 0
    assert "i ignored: contains a shell" in told.out
    assert f"ignored until {LATER}: until the next release" in told.out
    assert "1 holds, 1 is ignored." in told.out


def test_an_entry_that_ignores_nothing_is_a_finding(command: Command, archive: Archive) -> None:
    ignore(f'claim = "no-shell"\nreason = "long gone"\nuntil = {LATER}')
    told = command("verify", archive("good.tar"), "--claims", CLAIMS)
    assert told.code == 1
    assert "ignore-unused" in told.out
    assert "long gone" in told.out


def test_an_entry_whose_time_is_over_is_a_finding_and_ignores_nothing(
    command: Command, archive: Archive, images: Images
) -> None:
    ignore('claim = "no-shell"\nreason = "for a while"\nuntil = 2020-01-31')
    told = command("verify", archive("bad.tar", shell(images)), "--claims", CLAIMS)
    assert told.code == 1
    assert "ignore-expired" in told.out
    assert "✘ contains a shell" in told.out


def test_an_entry_about_another_image_or_claim_is_not_called_unused(command: Command, archive: Archive) -> None:
    ignore(f'claim = "no-shell"\nimage = "other*"\nreason = "r"\nuntil = {LATER}')
    assert command("verify", archive("good.tar"), "--claims", "no-shell").code == 0
    ignore(f'claim = "no-editor"\nreason = "r"\nuntil = {LATER}')
    assert command("verify", "good.tar", "--claims", "no-shell").code == 0


def test_an_entry_that_one_of_several_images_needs_is_not_unused(
    command: Command, archive: Archive, images: Images
) -> None:
    ignore(f'claim = "no-shell"\nreason = "r"\nuntil = {LATER}')
    told = command("verify", archive("good.tar"), archive("bad.tar", shell(images)), "--claims", "no-shell")
    assert told.code == 0


def test_an_entry_without_a_reason_is_an_error_of_the_file(command: Command, archive: Archive) -> None:
    ignore(f'claim = "no-shell"\nuntil = {LATER}')
    told = command("verify", archive("good.tar"))
    assert told.code == 4
    assert "reason is missing" in told.err


def test_findings_name_the_line_of_the_dockerfile(command: Command, archive: Archive) -> None:
    Path("Dockerfile").write_text("FROM scratch\nCOPY app /app\nUSER root\n", encoding="utf-8")
    path = archive("root.tar", User="root")
    told = json.loads(
        command("verify", path, "--claims", "non-root-user", "--dockerfile", "Dockerfile", "--format", "json").out
    )
    assert [each.get("line") for each in told["images"][0]["findings"][0]["evidence"]] == [3]


def test_texts_of_an_image_reach_the_terminal_harmless(command: Command, archive: Archive, images: Images) -> None:
    name = "bin/\x1b]0;owned\x07\u202esh"
    member = images.file(name, images.elf(text=b"OPTIND\0getopts\0"), 0o755)
    told = command(
        "verify", archive("bad.tar", member, Labels={"x": "\x1b[2J" * 1000}), "--claims", "no-shell,labels-present"
    )
    assert told.code == 1
    assert "\\x1b]0;owned\\x07\\u202esh" in told.out
    assert all(letter.isprintable() or letter == "\n" for letter in told.out)


@pytest.mark.parametrize(("variable", "coloured"), [("", True), ("NO_COLOR", False), ("CI", False)])
def test_colour_is_for_people_who_watch(archive: Archive, variable: str, coloured: bool) -> None:
    archive("good.tar")
    outside = {name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR"}}
    given = outside | ({variable: "1"} if variable else {})
    main, terminal = pty.openpty()
    command = [sys.executable, "-c", "from stageproof.cli import main; main()"]
    told = subprocess.run(
        [*command, "verify", "good.tar", "--claims", CLAIMS, "-v"], stdout=terminal, env=given, check=False, cwd=Path()
    )
    os.close(terminal)
    text = os.read(main, 100_000).decode()
    os.close(main)
    assert told.returncode == 0
    assert "✔ runs as 65532:65532" in text
    assert ("\x1b[32m" in text) is coloured


CANARY = "hunter2-7f3a9c"
TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3


@pytest.mark.parametrize("form", ["terminal", "json", "junit", "sarif", "markdown", "ctrf", "github"])
def test_no_report_shows_a_secret_of_the_image(command: Command, archive: Archive, images: Images, form: str) -> None:
    Path("mine.toml").write_text(
        "[claims]\nno-secrets = {}\nentrypoint-resolves = {}\nno-shell = {}\n"
        'config-as-stated = { env = { DB_PASSWORD = "other" }, entrypoint = ["x"] }\n',
        encoding="utf-8",
    )
    path = archive(
        "bad.tar",
        shell(images),
        Env=[f"DB_PASSWORD={CANARY}"],
        Labels={"note": f"api_key={CANARY}"},
        Entrypoint=["/app/run", f"--password={CANARY}", TOKEN],
        history=[{"created_by": "COPY"}, {"created_by": f"RUN TOKEN={CANARY} curl -H 'Authorization: {TOKEN}'"}],
    )
    told = command("verify", path, "--contract", "mine.toml", "--format", form)
    assert told.code == 1
    assert "DB_PASSWORD" in told.out.replace("&#95;", "_")
    assert CANARY not in told.out + told.err
    assert TOKEN not in told.out + told.err


def test_nothing_in_a_hostile_configuration_ends_in_a_traceback(command: Command, archive: Archive) -> None:
    odd = "\ud800\udcff\u202e\x1b[2J\n\x00"
    path = archive(
        "odd.tar",
        Env=[odd, f"A={odd}", "="],
        Labels={odd: odd, "org.opencontainers.image.base.name": odd},
        Cmd=[odd],
        WorkingDir=odd,
        StopSignal=odd,
        ExposedPorts={odd: {}, "x/y": {}},
        Volumes={odd: {}},
        Healthcheck={"Test": ["CMD", odd]},
        User=odd,
        history=[{"created_by": odd}, {"created_by": odd}],
    )
    for contract in ("any-image", "distroless", "debug"):
        told = command("verify", path, "--contract", contract, "--format", "json")
        assert told.code in {1, 3}
        assert all(letter.isprintable() or letter == "\n" for letter in told.out)
    recorded = command("record", path)
    assert recorded.code == 0
    assert all(letter.isprintable() or letter == "\n" for letter in recorded.out)


def test_a_contract_can_ask_for_what_is_attached_with_a_key_beside_it(command: Command, tmp_path: Path) -> None:
    it = attested.Attested(tmp_path).state(attested.SPDX, attested.spdx(("tzdata", "2026a-1")))
    key = attested.p256()
    it.layout.refer(it.about, attested.bundle(key, it.digest))
    Path("contract.toml").write_text('[claims]\nsbom-attached = {}\nsignature-valid = { key = "cosign.pub" }\n')
    asked = ("verify", str(it.write()), "--contract", "contract.toml")
    without = command(*asked)
    assert without.code == 4
    assert "cosign.pub holds no public key" in without.err
    attested.public(key, Path("cosign.pub"))
    told = command(*asked, "--verbose")
    assert told.code == 0
    assert "has a signature that its key verifies: cosign.pub" in told.out
    attested.public(attested.p256(), Path("cosign.pub"))
    assert command(*asked).code == 1
