"""A stand-in whose build ends badly is told with the builder's last lines, and whose fault it is."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from stageproof.engine.client import Engine
from stageproof.engine.standin.building import Workshop, run_build
from stageproof.errors import BaseError, DiskFullError, EngineDiedError, Error

ENGINE = Engine("private", "unix:///nowhere", "28", "1.51", (), "classic")


@pytest.mark.parametrize(
    ("said", "kind"),
    [("E: Unable to locate package nodejs", BaseError), ("write /x: No space left on device", DiskFullError)],
)
def test_its_last_lines_stand_in_the_error(tmp_path: Path, said: str, kind: type[Error]) -> None:
    builder = (sys.executable, "-c", f"import sys; print({said!r}); sys.exit(1)")
    workshop = Workshop(replace(ENGINE, buildx=builder), None, tmp_path, lambda _: None)
    with pytest.raises(Error) as caught:
        run_build(workshop, "node", tmp_path / "Dockerfile", {}, [])
    assert type(caught.value) is kind
    assert caught.value.seen.startswith(said)


def test_a_builder_that_waits_for_an_engine_which_is_gone_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stageproof.engine.pulse.PAUSE_SECONDS", 0.01)
    builder = (sys.executable, "-c", "import signal; signal.pause()")
    workshop = Workshop(replace(ENGINE, buildx=builder), None, tmp_path, lambda _: None)
    with pytest.raises(EngineDiedError):
        run_build(workshop, "node", tmp_path / "Dockerfile", {}, [])


def test_a_hiccup_of_the_network_is_tried_once_more(tmp_path: Path) -> None:
    tried = tmp_path / "tried"
    program = f"""
import pathlib, sys
tried = pathlib.Path({str(tried)!r})
if not tried.exists():
    tried.touch()
    sys.exit("Temporary failure resolving 'packages.invalid'")
"""
    workshop = Workshop(replace(ENGINE, buildx=(sys.executable, "-c", program)), None, tmp_path, lambda _: None)
    run_build(workshop, "node", tmp_path / "Dockerfile", {}, [])
    assert tried.exists()


def test_what_the_failed_step_said_last_is_shown_and_not_the_builders_excerpt(tmp_path: Path) -> None:
    said = (
        "#5 ERROR: exit code: 100\n------\n > [2/3] RUN apt-get:\nE: no such package\n------\nDockerfile:5\nERROR: 100"
    )
    builder = (sys.executable, "-c", f"import sys; print({said!r}); sys.exit(1)")
    workshop = Workshop(replace(ENGINE, buildx=builder), None, tmp_path, lambda _: None)
    with pytest.raises(BaseError) as caught:
        run_build(workshop, "node", tmp_path / "Dockerfile", {}, [])
    assert caught.value.seen.startswith(" > [2/3] RUN apt-get:\nE: no such package\n(last lines;")
