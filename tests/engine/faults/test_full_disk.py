"""A disk that is full: told as that, and nothing that was written half is ever read."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stageproof.engine import bake, processes
from stageproof.errors import DiskFullError
from tests.engine.faults.conftest import COMMAND, SERVICE, Lab, ended
from tests.engine.faults.test_kills import findings

MEGABYTE = 1_000_000
FILES = 5000
"""So many that their digests, which cannot be packed, are some hundred kilobytes of index."""
BUILD = """
import sys
from pathlib import Path
from stageproof.engine import build, find
root = Path.cwd()
call = build.Call(find.ensure(lambda _: None), root, root / ".stageproof", {})
outcome = build.build(call, {}, [["large"]], lambda _: None)
(failed,) = outcome.failed.values()
error = build.failure_text(failed)
print(error)
sys.exit(error.exit_code)
"""


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """Give a file system of 40 MB, in a file."""
    with tempfile.TemporaryDirectory(prefix="full-") as folder:
        image, place = Path(folder, "disk"), Path(folder, "mounted")
        place.mkdir()
        with image.open("wb") as file:
            file.truncate(40 * MEGABYTE)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
        if subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=False, capture_output=True).returncode:
            pytest.skip("no loop device can be mounted here")
        try:
            yield place
        finally:
            subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Give a docker archive of one layer with many files."""
    layer = tarred({f"app/{number}": str(number).encode() for number in range(FILES)})
    digest = hashlib.sha256(layer).hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/app/0"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": ["many:1"], "Layers": ["layer.tar"]}]
    files = {"config.json": json.dumps(config).encode(), "manifest.json": json.dumps(manifest).encode()}
    path = tmp_path / "many.tar"
    path.write_bytes(tarred({**files, "layer.tar": layer}))
    return path


def tarred(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def fill_up(folder: Path, left: int) -> Path:
    """Fill a file system but for so many bytes."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(MEGABYTE // 16))
    os.truncate(path, path.stat().st_size - left)
    return path


def verified(archive: Path, cache: Path) -> tuple[int, str, str]:
    """Read the archive with a cache folder, in a process of its own."""
    command = [sys.executable, "-c", COMMAND, "verify", str(archive), "--claims", "no-setuid,no-risky-volumes"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    process = subprocess.Popen(
        [*command, "--format", "json"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return ended(process)


@pytest.mark.parametrize("left", [0, 100_000], ids=["no byte left", "room for half an index"])
def test_a_cache_without_space_is_told_and_no_half_index_is_read_afterwards(
    small_disk: Path, archive: Path, tmp_path: Path, left: int
) -> None:
    filler = fill_up(small_disk, left)
    code, out, err = verified(archive, small_disk)
    assert code == DiskFullError.exit_code, out + err
    assert (out, "Traceback" in err) == ("", False)
    assert "No space left on device" in err
    assert list(small_disk.rglob(".new-*")) == []
    filler.unlink()
    again, elsewhere = verified(archive, small_disk), verified(archive, tmp_path)
    assert again[0] == elsewhere[0] == 0, again
    assert findings(again[1]) == findings(elsewhere[1])


def test_an_engine_without_space_is_no_fault_of_the_dockerfile(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "large.Dockerfile").write_text("FROM scratch\nCOPY large /large\n")
    (tmp_path / bake.FILE).write_text(json.dumps({"target": {"large": {"dockerfile": "large.Dockerfile"}}}))
    with (tmp_path / "large").open("wb") as file:
        file.truncate(60 * MEGABYTE)
    with full_below(lab, "data/overlay2"):
        environment = lab.environment(PYTHONPATH=str(Path(__file__).parents[3]))
        process = subprocess.Popen(
            [sys.executable, "-c", BUILD],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        code, out, err = ended(process)
    assert code == DiskFullError.exit_code, out + err
    assert "the engine has no space left" in out
    assert SERVICE not in out


@contextlib.contextmanager
def full_below(lab: Lab, folder: str) -> Iterator[None]:
    """Lay a small file system over a folder of the engine, in the engine's own mount namespace."""
    daemon = processes.daemon(lab.home)
    inside = ["nsenter", f"--mount=/proc/{daemon}/ns/mnt", "--"]
    place = f"/engine/{folder}"
    subprocess.run([*inside, "mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", place], check=True)
    try:
        subprocess.run([*inside, "mkdir", f"{place}/l"], check=True)
        yield
    finally:
        subprocess.run([*inside, "umount", "-l", place], check=True)
