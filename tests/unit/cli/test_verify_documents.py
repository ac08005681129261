"""What the documents say about the command is all of it, and true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import jsonschema
import pytest

from stageproof import cli, contract, errors
from stageproof.report import counting, formats
from stageproof.verify import Standing


@pytest.fixture(scope="module")
def verify_page(root: Path) -> str:
    return (root / "docs" / "verify.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def formats_page(root: Path) -> str:
    return (root / "docs" / "formats.md").read_text(encoding="utf-8")


def test_every_option_of_verify_stands_in_its_page(verify_page: str) -> None:
    command = cli.stageproof.get_command(click.Context(cli.stageproof), "verify")
    assert command is not None
    for parameter in command.params:
        for name in (*parameter.opts, *parameter.secondary_opts):
            assert not name.startswith("--") or f"`{name}" in verify_page, name


def test_every_exit_code_stands_in_its_page(verify_page: str) -> None:
    rows = re.findall(r"^\| (\d+)(?: to (\d+))? \|", verify_page, re.MULTILINE)
    told = {code for first, last in rows for code in range(int(first), int(last or first) + 1)}
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.Error)]
    assert {each.exit_code for each in kinds} - {errors.Error.exit_code} <= told
    assert {counting.ALL_HOLD, counting.SOME_BROKEN, counting.SOME_UNKNOWN} <= told


def test_every_contract_and_every_standing_stands_in_its_page(verify_page: str) -> None:
    assert all(f"`{name}`" in verify_page for name in contract.names())
    assert all(f"| {standing.value.replace('-', ' ')} |" in verify_page for standing in Standing)


def test_every_format_stands_in_its_page(formats_page: str) -> None:
    assert re.findall(r"^\| `(\w+)` \|", formats_page, re.MULTILINE) == [
        "terminal",
        "json",
        "junit",
        "sarif",
        "markdown",
        "ctrf",
        "github",
    ]
    assert set(re.findall(r"^\| `(\w+)` \|", formats_page, re.MULTILINE)) == set(formats.names())


def test_the_example_of_json_keeps_the_schema(formats_page: str, root: Path) -> None:
    schema = json.loads((root / "stageproof" / "report" / "schema.json").read_text(encoding="utf-8"))
    (example,) = re.findall(r"```json\n(.*?)```", formats_page, re.DOTALL)
    jsonschema.validate(json.loads(example), schema, cls=jsonschema.Draft202012Validator)
