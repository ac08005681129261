"""The command as a user calls it, in a folder of its own, with images in archives: no engine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stageproof import cli

if TYPE_CHECKING:
    from tests.unit.conftest import Images


@dataclass(frozen=True)
class Told:
    """What a command said."""

    code: int
    out: str
    err: str


Command = Callable[..., Told]
Archive = Callable[..., str]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run `stageproof` with arguments."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")

    def run(*arguments: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["stageproof", *arguments])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        return Told(code, told.out, told.err)

    return run


@pytest.fixture
def archive(images: Images, command: Command) -> Archive:
    """Write an image to a docker archive in the folder that commands run in; its program is /app/run."""
    del command

    def write(name: str, *members: Any, tag: str = "it:1", **config: Any) -> str:
        layers = [
            images.tar([images.folder("/app"), images.file("/app/run", images.elf(), 0o755)]),
            images.tar(members),
        ]
        given = {"Entrypoint": ["/app/run"], "User": "65532:65532", **config}
        Path(name).write_bytes(images.archive(layers, given, tag))
        return name

    return write
