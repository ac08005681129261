"""Reports go where they were asked to go, whole or not at all."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from stageproof.errors import UsageError
from stageproof.report import output
from stageproof.report.output import Output

TERMINAL = Output("terminal")


@pytest.mark.parametrize(
    ("asked", "file", "made"),
    [
        ((), "", [TERMINAL]),
        (("json",), "", [Output("json")]),
        (("json",), "r.json", [TERMINAL, Output("json", Path("r.json"))]),
        (("json:r.json",), "", [TERMINAL, Output("json", Path("r.json"))]),
        (("terminal,sarif:r.sarif",), "", [TERMINAL, Output("sarif", Path("r.sarif"))]),
        (
            ("github", "junit:a.xml,ctrf:b.json"),
            "",
            [Output("github"), Output("junit", Path("a.xml")), Output("ctrf", Path("b.json"))],
        ),
        (("json", "junit:a.xml"), "r.json", [TERMINAL, Output("json", Path("r.json")), Output("junit", Path("a.xml"))]),
    ],
)
def test_formats_and_files_are_read_as_they_were_meant(asked: tuple[str, ...], file: str, made: list[Output]) -> None:
    assert output.outputs(asked, file) == made


@pytest.mark.parametrize(
    ("asked", "file", "failed"),
    [
        (("jsn",), "", "there is no format 'jsn'"),
        (("json,sarif",), "", "json and sarif cannot both go to the standard output"),
        (("json", "sarif"), "r", "json and sarif cannot both go to r"),
        (("json:a",), "b", "--output is for a format without a file"),
        (("json:a,sarif:a",), "", "two formats cannot go to one file"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked: tuple[str, ...], file: str, failed: str) -> None:
    with pytest.raises(UsageError, match=re.escape(failed)):
        output.outputs(asked, file)


def test_a_file_is_written_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    output.write(path, "one\n")
    output.write(path, "two – ✔\n")
    assert path.read_text(encoding="utf-8") == "two – ✔\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link_and_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("report.json")
    output.write(tmp_path / "link", "one\n")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "report.json").read_text() == "one\n"


def test_what_is_no_file_is_written_to_and_stays_what_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        output.write(pipe, "one\n")
        assert os.read(reader, 100) == b"one\n"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_folder_that_is_not_there_is_an_error_of_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        output.write(tmp_path / "none" / "report.json", "x")
