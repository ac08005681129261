"""What is remembered is whole or absent, whoever else uses the folder, and never grows beyond its limit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from stageproof.errors import ImageError
from stageproof.image import Layer, Needles, kept, layer
from stageproof.image.store import FORMAT, Store
from tests.unit.conftest import Images, file, hard_link, link, tar

NONE = Needles()


def made(number: int, size: int = 1000) -> Layer:
    """Make a layer with names that do not pack."""
    names = [file(f"{number}/{os.urandom(20).hex()}") for _ in range(size // 20)]
    return layer.read([tar(names)], NONE)


def used(path: Path, ago: float) -> None:
    """Set when everything of a layer was used last."""
    os.utime(path, (time.time() - ago, time.time() - ago))


def test_a_layer_is_remembered_as_it_was(tmp_path: Path) -> None:
    members = [file("etc/passwd", b"a:x:1:2::/:\n"), file("name \udcff"), link("l", "to \udcfe"), file(".wh.gone", b"")]
    members += [hard_link("h", "etc/passwd"), file("d/.wh..wh..opq", b""), file("../out")]
    before = layer.read([tar(members)], NONE)
    Store(tmp_path).remember(before, NONE)
    assert Store(tmp_path).layer(before.diff_id, NONE) == before


def test_a_layer_under_the_name_of_another_is_absent(tmp_path: Path) -> None:
    store, one, two = Store(tmp_path), made(1), made(2)
    store.remember(one, NONE)
    store.remember(two, NONE)
    paths = {path.name: path for path in tmp_path.glob("*/layers/*")}
    names = [each.diff_id.removeprefix("sha256:") for each in (one, two)]
    paths[names[0]].replace(paths[names[1]])
    assert store.layer(two.diff_id, NONE) is None


@pytest.mark.parametrize("at", [0, 10, -30, -1])
def test_one_changed_byte_makes_it_absent(tmp_path: Path, at: int) -> None:
    store, one = Store(tmp_path), made(1)
    store.remember(one, NONE)
    (path,) = tmp_path.glob("*/layers/*")
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(bytes(data))
    assert store.layer(one.diff_id, NONE) is None


def test_an_index_of_another_format_is_not_read(tmp_path: Path) -> None:
    store, one = Store(tmp_path), made(1)
    store.remember(one, NONE)
    (tmp_path / f"images-{FORMAT}").rename(tmp_path / f"images-{FORMAT - 1}")
    assert store.layer(one.diff_id, NONE) is None


def test_what_was_not_used_for_longest_goes_when_the_limit_is_reached(tmp_path: Path) -> None:
    layers = [made(number, 4000) for number in range(5)]
    Store(tmp_path).remember(layers[0], NONE)
    each = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    store = Store(tmp_path, largest=int(each * 3.5))
    for age, one in enumerate(layers):
        store.remember(one, NONE)
        for path in tmp_path.glob(f"*/*/{one.diff_id.removeprefix('sha256:')}*"):
            used(path, 10_000 - age)
    assert store.layer(layers[0].diff_id, NONE), "it is used again, so it is the youngest"
    store.shrink()
    there = [store.layer(one.diff_id, NONE) is not None for one in layers]
    assert there == [True, False, False, True, True]
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= each * 3.5


def test_indexes_of_older_formats_count_and_go_first(tmp_path: Path) -> None:
    old = tmp_path / "images-1" / "layers" / "x.json"
    old.parent.mkdir(parents=True)
    old.write_bytes(bytes(100_000))
    used(old, 1_000_000)
    store = Store(tmp_path, largest=50_000)
    store.remember(made(1), NONE)
    store.shrink()
    assert not old.exists()
    assert list(tmp_path.glob(f"images-{FORMAT}/layers/*"))


def test_a_run_that_wrote_nothing_removes_nothing(tmp_path: Path) -> None:
    one = made(1)
    Store(tmp_path).remember(one, NONE)
    store = Store(tmp_path, largest=1)
    assert store.layer(one.diff_id, NONE)
    store.shrink()
    assert Store(tmp_path).layer(one.diff_id, NONE)


def test_what_a_dead_process_left_half_written_is_removed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.remember(made(1), NONE)
    old, new = (tmp_path / f"images-{FORMAT}" / "layers" / name for name in (".new-old", ".new-now"))
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    used(old, 7200)
    store.shrink()
    assert (old.exists(), new.exists()) == (False, True)


READER = """
import sys
from pathlib import Path
from stageproof.image import sources
from stageproof.image.store import Store
path, cache, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
for _ in range(rounds):
    (image,) = sources.read([path], cache=cache)[path]
    assert len(image.tree) == 2001, len(image.tree)
    store = Store(cache, largest=1)
    store._is_written = True
    store.shrink()
print("done")
"""


def archive(tmp_path: Path) -> Path:
    path = tmp_path / "a.tar"
    images = Images(tmp_path)
    layers = [tar([file(f"d/{n}-{k}", os.urandom(10)) for k in range(500)]) for n in range(4)]
    path.write_bytes(images.archive(layers))
    return path


@contextmanager
def started(path: Path, cache: Path, rounds: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", READER, str(path), str(cache), str(rounds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_processes_that_read_write_and_remove_at_once_all_get_the_right_answer(tmp_path: Path) -> None:
    path, cache = archive(tmp_path), tmp_path / "cache"
    with ExitStack() as stack:
        running = [stack.enter_context(started(path, cache, 8)) for _ in range(4)]
        for process in running:
            out, err = process.communicate(timeout=120)
            assert (process.returncode, out) == (0, "ready\ndone\n"), err
    assert not list(cache.rglob(".new-*"))


def test_a_process_killed_at_any_moment_leaves_nothing_that_is_read_wrongly(tmp_path: Path) -> None:
    path, cache = archive(tmp_path), tmp_path / "cache"
    for number in range(6):
        with started(path, cache, 1000) as process:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            deadline = time.monotonic() + 20
            while len(list(cache.rglob("*"))) <= number and time.monotonic() < deadline:
                os.sched_yield()
            process.send_signal(signal.SIGKILL)
    with started(path, cache, 1) as after:
        out, err = after.communicate(timeout=60)
        assert out == "ready\ndone\n", err


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(ImageError, match="index of a layer cannot be written") as caught:
        Store(blocked).remember(made(1), NONE)
    assert caught.value.why


KEPT = {
    "/etc/passwd": b"a:x:1:1::/:",
    "/etc/group": b"a:x:1:",
    "/etc/os-release": b"ID=debian",
    "/usr/lib/os-release": b"ID=debian",
    "/var/lib/dpkg/status": b"Package: a",
    "/var/lib/dpkg/status.d/a": b"Package: a",
    "/lib/apk/db/installed": b"P:a",
    "/usr/lib/apk/db/installed": b"P:a",
    "/app/node_modules/x/package.json": b'{"name": "x"}',
    "/opt/java/release": b'MODULES="java.base"',
    "/usr/lib/python3/x.dist-info/METADATA": b"Name: x",
    "/usr/lib/python3/x.egg-info/PKG-INFO": b"Name: x",
    "/usr/lib/python3/x.egg-info": b"Name: x",
}


@pytest.mark.parametrize("path", KEPT)
def test_what_readers_need_is_kept(path: str) -> None:
    assert kept.keep(path, KEPT[path])
    assert kept.keep(path + "x", KEPT[path]) is None or path.startswith("/var/lib/dpkg/status.d/")
