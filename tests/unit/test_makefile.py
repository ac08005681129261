from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

OLD = """#!/bin/sh
case "$*" in -V) echo Python 3.9.2 ;; *version_info*) exit 1 ;; esac
"""
WITHOUT_VENV = """#!/bin/sh
case "$*" in *ensurepip*) exit 1 ;; esac
"""


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (OLD, "Stageproof needs Python 3.11 or newer, and {python} is 3.9.2"),
        (WITHOUT_VENV, "Stageproof needs Python's venv module, and {python} has none"),
        (None, "Stageproof needs Python 3.11 or newer, and there is no {python}"),
    ],
)
def test_a_machine_that_cannot_have_the_environment_gets_one_sentence(
    root: Path, tmp_path: Path, program: str | None, sentence: str
) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(root / name, tmp_path)
    python = tmp_path / "fake-python"
    if program:
        python.write_text(program)
        python.chmod(0o755)
    make = ["make", "--no-print-directory", f"PYTHON={python}", "build-all"]
    done = subprocess.run(make, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode
    first, *rest = done.stderr.splitlines()
    assert first.startswith(sentence.format(python=python))
    assert all(re.match(r"make(\[\d+\])?: \*\*\*", line) for line in rest)
    assert not (tmp_path / ".venv").exists()
