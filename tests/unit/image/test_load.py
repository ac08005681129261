"""A layer is read once: the second run asks the engine for nothing but names."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from stageproof.errors import ImageError
from stageproof.image import Image, Needles, load
from stageproof.image.store import Store

if TYPE_CHECKING:
    from tests.unit.conftest import Images

DIFFERENT = Needles.of("another-value-77")


def packed(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


class Engine:
    """An engine with images, that counts what it is asked."""

    def __init__(self, images: Images, **archives: bytes) -> None:
        self.images = images
        self.archives = archives
        self.saved: list[list[str]] = []

    def describe(self, name: str) -> Mapping[str, Any]:
        image = self.images.read(self.archives[name])
        return {"Id": image.id, "Os": "linux", "Architecture": "amd64"}

    def save(self, names: list[str]) -> Iterable[bytes]:
        self.saved.append(names)
        return [self.archives[names[0]]]


@pytest.fixture
def engine(images: Images, tmp_path: Any) -> Engine:
    other = type(images)(tmp_path / "the engine's own")
    layer = images.tar([images.file("a", b"hello canary-1234 hello")])
    return Engine(other, one=images.archive([layer], {"User": "1"}))


def ask(engine: Engine, images: Images, needles: Needles | None = None) -> Image:
    cache = images.cache
    found = load(["one"], describe=engine.describe, save=engine.save, cache=cache, needles=needles or Needles())
    return found["one"]


def test_the_second_time_nothing_is_saved(engine: Engine, images: Images) -> None:
    first = ask(engine, images)
    second = ask(engine, images)
    assert engine.saved == [["one"]]
    assert second.tree == first.tree
    assert second.config == first.config
    assert (second.disk, second.pull) == (first.disk, first.pull)


def test_other_needles_are_looked_for_anew_and_the_sizes_kept(engine: Engine, images: Images) -> None:
    first = ask(engine, images)
    second = ask(engine, images, Needles.of("canary-1234"))
    assert len(engine.saved) == 2
    assert second.layers[0].found == {"/a": ("the canary",)}
    assert second.pull == first.pull
    assert ask(engine, images, Needles.of("canary-1234")).layers[0].found == {"/a": ("the canary",)}
    assert len(engine.saved) == 2


def test_everything_about_a_file_survives_being_remembered(engine: Engine, images: Images) -> None:
    program = images.elf("/lib64/ld.so", ["libc.so.6"], runpath="$ORIGIN", needs={"libc.so.6": ["V_1"]}, has=["V_2"])
    layer = images.tar(
        [
            images.file("bin/x", program, 0o755),
            images.file("etc/passwd", b"a:x:1:2::/h:\n"),
            images.file("s", b"#!/bin/sh\n"),
            images.link("l", "x"),
            images.file("name \udcff"),
        ]
    )
    engine.archives["one"] = images.archive([layer])
    first = ask(engine, images)
    assert ask(engine, images).tree == first.tree
    assert first.read("/etc/passwd") == b"a:x:1:2::/h:\n"
    assert first.find("/name \udcff")


def test_a_damaged_memory_is_read_anew(engine: Engine, images: Images) -> None:
    ask(engine, images)
    for path in images.cache.glob("*/layers/*"):
        path.unlink()
    again = ask(engine, images)
    assert len(engine.saved) == 2
    assert again.find("/a")


@pytest.mark.parametrize("damage", [b"", b"half a fi", packed(b"{}"), packed(b"\x91\x01"), packed(b"\x90")[:-1]])
def test_a_memory_that_is_no_index_is_made_anew(engine: Engine, images: Images, damage: bytes) -> None:
    ask(engine, images)
    damaged = [path for path in images.cache.rglob("*") if path.is_file()]
    for path in damaged:
        path.write_bytes(damage)
    assert len(damaged) == 3
    assert ask(engine, images).find("/a")
    assert ask(engine, images).find("/a")
    assert len(engine.saved) == 2


def test_an_engine_that_saves_something_else_is_told(engine: Engine, images: Images) -> None:
    wrong = images.archive([images.tar([images.file("b")])])
    with pytest.raises(ImageError, match="cannot be read"):
        load(["one"], describe=engine.describe, save=lambda _: [wrong], cache=images.cache)


def test_an_error_of_the_engine_passes_through(engine: Engine, images: Images) -> None:
    def broken(_: list[str]) -> Iterable[bytes]:
        yield b""
        message = "the engine ended"
        raise ConnectionError(message)

    with pytest.raises(ConnectionError):
        load(["one"], describe=engine.describe, save=broken, cache=images.cache)


def test_two_at_once_share_one_folder(engine: Engine, images: Images) -> None:
    found: list[Image] = []
    threads = [threading.Thread(target=lambda: found.append(ask(engine, images))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert not list(images.cache.rglob(".new-*"))


def test_a_name_that_is_no_digest_never_becomes_a_path(images: Images) -> None:
    with pytest.raises(ImageError):
        Store(images.cache).index("../../etc/passwd")


def test_a_manifest_that_names_a_path_as_layer_is_refused(images: Images) -> None:
    config = json.dumps({"rootfs": {"diff_ids": ["sha256:../../x"]}}).encode()
    contents = json.dumps([{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["../../x"]}]).encode()
    with pytest.raises(ImageError):
        images.read(images.tar([images.file("c.json", config), images.file("manifest.json", contents)]))
