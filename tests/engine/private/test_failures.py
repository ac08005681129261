"""Each way in which the private engine cannot be had: one message, its own exit code, no traceback."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stageproof.engine import private, rootfs
from stageproof.engine.home import Home, locked
from stageproof.errors import DiskFullError, EngineDiedError, EngineError

ROOT = Path(__file__).resolve().parents[3]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A folder in which nothing is made yet."""
    home = Home(tmp_path_factory.mktemp("x") / "stageproof/engine")
    yield home
    private.remove(home)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 60 MB; pytest's own folders can be too deep for a socket."""
    with tempfile.TemporaryDirectory(prefix="small-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", folder], check=True)
        yield Path(folder)
        subprocess.run(["umount", folder], check=True)


def path_with(folder: Path, *programs: str) -> str:
    """Make a PATH with these programs and no others."""
    for name in programs:
        found = subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip()
        (folder / name).symlink_to(found)
    return str(folder)


def is_one_clear_message(done: subprocess.CompletedProcess[str], code: int, failed: str) -> bool:
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith(f"✘ {failed}"), done.stderr
    assert "  seen   " in done.stderr
    return "  do     " in done.stderr


def test_not_root_ends_with_code_11(empty: Home) -> None:
    # Imported as root, since Python's own files may lie where nobody else may read; then run as nobody.
    script = f"""
import os
os.environ.update(XDG_CACHE_HOME="{empty.folder.parent.parent}", HOME="/nonexistent")
from invoke import Program
from stageproof.tasks import namespace
program = Program(namespace=namespace())
os.setgroups([]); os.setgid(65534); os.setuid(65534)
program.run("invoke engine.start")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )

    assert is_one_clear_message(done, 11, "the private engine cannot be started")
    assert "uid 65534" in done.stderr


def test_a_host_without_apt_ends_with_code_12(empty: Home, invoke: Run, tmp_path: Path) -> None:
    done = invoke(empty, "engine.start", path=path_with(tmp_path, "unshare", "true"))

    assert is_one_clear_message(done, 12, "the private engine cannot be made")


def test_no_package_index_ends_with_code_13_and_names_both_suites(empty: Home, invoke: Run) -> None:
    done = invoke(empty, "engine.start", STAGEPROOF_DEBIAN_MIRROR="http://127.0.0.1:9/debian")

    assert is_one_clear_message(done, 13, "the private engine's packages could not be installed")
    assert "forky cannot be had" in done.stdout
    assert "trixie cannot be had" in done.stdout
    assert not empty.root.exists()


def test_an_engine_that_ends_again_and_again_ends_with_code_16_and_its_log(home: Home, invoke: Run) -> None:
    home.data.write_text("a file where dockerd needs a folder")

    done = invoke(home, "engine.start")

    assert is_one_clear_message(done, 16, "the private engine did not start")
    assert "given up" in done.stderr
    assert str(home.log) in done.stderr
    assert private.status(home).supervisor is None


def test_a_disk_too_small_ends_with_code_17_before_anything_is_made(small_disk: Path, invoke: Run) -> None:
    home = Home(small_disk / "stageproof/engine")

    done = invoke(home, "engine.start")

    assert is_one_clear_message(done, 17, "not enough disk space")
    assert not home.folder.exists()


def test_a_disk_that_fills_up_while_it_is_made_is_a_full_disk_and_leaves_no_half(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(small_disk / "stageproof/engine")
    monkeypatch.setattr(rootfs, "BYTES_NEEDED", 1)

    with locked(home, lambda: None), pytest.raises(DiskFullError):
        rootfs.make(home, lambda _: None)

    assert [path.name for path in home.folder.iterdir()] == ["make.log"]


def test_a_path_too_long_for_a_socket_is_said_before_anything_is_made(tmp_path: Path) -> None:
    home = Home(tmp_path / ("long" * 25) / "engine")

    with pytest.raises(EngineError, match="too long"):
        private.start(home=home)

    assert not home.folder.exists()


def test_a_network_that_cannot_be_made_is_an_error_with_the_tools_words(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stageproof.engine.addresses.candidates", lambda: iter(()))

    with pytest.raises(EngineDiedError) as caught:
        private.start(home=home)

    assert "every private address range is in use" in caught.value.seen
