"""Whatever bytes come, the answer is right or it is an ImageError: found by trying, not by thinking of cases."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import posixpath
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stageproof.errors import ImageError
from stageproof.image import Entry, Kind, Layer, Needles, elf, go_modules, layer, packing, sources, zips
from stageproof.image.jars import Jar
from stageproof.image.limits import LIMITS
from stageproof.image.merge import Merger
from stageproof.image.patterns import Patterns
from tests.unit.conftest import file, tar
from tests.unit.image.layouts import Layout, config_of, descriptor, digest
from tests.unit.image.tars import END, extended, header, octal, record

# The same examples in every run: a red run can be repeated. fuzz/ looks for new ones.
usual = settings(max_examples=200, deadline=None, derandomize=True, database=None)
few = settings(max_examples=60, deadline=None, derandomize=True, database=None)

NAMES = st.sampled_from(["a", "b", "c", "dd", "é", "x" * 90, "with blank", ".wh"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
NONE = Needles()


def read(data: bytes, piece: int = 1 << 20) -> Layer:
    return layer.read((data[at : at + piece] for at in range(0, len(data), piece)), NONE, weigh=False)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Entry]:
    """Make entries that may stand in one layer: nothing below what is no folder."""
    made: dict[str, Entry] = {}
    for path in sorted(draw(st.sets(PATHS, max_size=12))):
        above = [path[:at] for at, letter in enumerate(path) if letter == "/"]
        if any(f"/{folder}" in made and not made[f"/{folder}"].is_folder for folder in above):
            continue
        kind = draw(st.sampled_from([Kind.FILE, Kind.FILE, Kind.FOLDER, Kind.LINK, Kind.PIPE]))
        data = draw(st.binary(max_size=700)) if kind is Kind.FILE else b""
        made[f"/{path}"] = Entry(
            f"/{path}",
            kind,
            draw(st.integers(0, 0o7777)),
            draw(st.sampled_from([0, 1000, 65532, 0o7777777, 2**31 - 1])),
            draw(st.sampled_from([0, 7, 2**31 - 1])),
            len(data),
            draw(st.integers(-5, 2**33)),
            draw(st.sampled_from(["x", "../y", "/z" * 60])) if kind is Kind.LINK else "",
            data.hex(),
        )
    return made


TYPES = {Kind.FILE: tarfile.REGTYPE, Kind.FOLDER: tarfile.DIRTYPE, Kind.LINK: tarfile.SYMTYPE, Kind.PIPE: b"6"}


def written(tree: Mapping[str, Entry], form: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for path, entry in tree.items():
            info = tarfile.TarInfo(path[1:])
            info.type, info.mode, info.uid, info.gid = TYPES[entry.kind], entry.mode, entry.uid, entry.gid
            info.size, info.mtime, info.linkname = entry.size, entry.mtime, entry.link
            archive.addfile(info, io.BytesIO(bytes.fromhex(entry.sha256)))
    return out.getvalue()


@usual
@given(trees(), st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]), st.sampled_from([1, 100, 513, 1 << 20]))
def test_what_a_tar_program_wrote_is_what_the_index_says(tree: dict[str, Entry], form: int, piece: int) -> None:
    found = read(written(tree, form), piece)
    assert found.remarks == ()
    assert list(found.entries) == list(tree)
    for path, entry in tree.items():
        mine = found.entries[path]
        assert (mine.kind, mine.mode, mine.uid, mine.gid, mine.size, mine.mtime, mine.link) == (
            entry.kind,
            entry.mode,
            entry.uid,
            entry.gid,
            entry.size,
            entry.mtime,
            entry.link,
        )
        if entry.is_file:
            assert mine.sha256 == hashlib.sha256(bytes.fromhex(entry.sha256)).hexdigest()


@contextlib.contextmanager
def only_image_errors() -> Iterator[None]:
    """Let through what is meant; everything else ends the test."""
    try:
        yield
    except ImageError as error:
        if not all([error.failed, error.seen, error.why]):
            pytest.fail(f"an error without all its parts: {error}")


@usual
@given(st.binary(max_size=3000))
def test_any_bytes_as_a_layer(data: bytes) -> None:
    with only_image_errors():
        read(data)
    with only_image_errors():
        read(data + END)


VALID = (
    tar([file("a", b"12345"), file("etc/passwd", b"a:x:1:1::/:\n"), file("d/" + "long" * 40)])
    + extended(b"x", record("path", b"p") + record("SCHILY.xattr.a", b"1"))
    + header(size=octal(5))
)


@usual
@given(st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), max_size=8), st.integers(0, len(VALID)))
def test_a_layer_with_bytes_changed_and_cut_off(changes: list[tuple[int, int]], end: int) -> None:
    data = bytearray(VALID)
    for at, value in changes:
        data[at] = value
    with only_image_errors():
        read(bytes(data))
    with only_image_errors():
        read(bytes(data[:end]))


@usual
@given(st.sampled_from([b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18"]), st.binary(max_size=500))
def test_any_bytes_as_packed_data(start: bytes, data: bytes) -> None:
    with only_image_errors():
        list(packing.unpacked(start, [start + data], "it", LIMITS))


@usual
@given(st.binary(max_size=2000))
def test_any_bytes_as_the_content_of_a_file(data: bytes) -> None:
    elf.parse(elf.MAGIC + data)
    go_modules.modules(go_modules.MAGIC + b"\x08\x02" + data)
    for name, inside in zips.members(zips.MAGIC + data):
        assert isinstance(name + inside.hex(), str)
    jar = Jar("a.jar")
    jar.add("META-INF/MANIFEST.MF", data)
    jar.add("META-INF/maven/a/b/pom.properties", data)
    jar.add("BOOT-INF/lib/x.jar", zips.MAGIC + data)
    assert isinstance(jar.packages(), tuple)
    paths = ["etc/passwd", "var/lib/dpkg/status", "lib/apk/db/installed", "x.dist-info/METADATA", "release"]
    found = read(tar([file(path, data) for path in [*paths, "package.json", "x.jar"]]))
    assert len(found.entries) == 7


WORDS = st.binary(min_size=1, max_size=4).map(lambda data: bytes(byte % 3 + 97 for byte in data))


@usual
@given(st.lists(WORDS | WORDS.map(lambda word: word * 9), max_size=6), st.lists(WORDS, max_size=40).map(b"".join))
def test_what_is_looked_for_at_once_is_what_is_found_one_by_one(words: list[bytes], data: bytes) -> None:
    assert Patterns(words).within(data) == {word for word in words if word in data}
    long = data + bytes((1 << 20) - len(data) // 2) + data
    assert Patterns(words).within(long) == {word for word in words if word in long}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
LAYER = tar([file("a")])


def places(document: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the way to every value of a document."""
    yield way
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inner:
        yield from places(value, (*way, key))


def changed(document: Any, way: Sequence[Any], value: Any) -> Any:
    """Give the document with one value changed."""
    if not way:
        return value
    copy = document.copy()
    copy[way[0]] = changed(document[way[0]], way[1:], value)
    return copy


CONFIG = {
    "architecture": "amd64",
    "os": "linux",
    "created": "2026-01-01T00:00:00Z",
    "config": {
        "User": "1:1",
        "Env": ["PATH=/bin"],
        "Entrypoint": ["/a"],
        "ExposedPorts": {"80/tcp": {}},
        "Healthcheck": {"Test": ["CMD", "/a"], "Interval": 5, "Retries": 3},
        "Labels": {"a": "b"},
        "Volumes": {"/v": {}},
    },
    "history": [{"created_by": "COPY", "empty_layer": False}],
    "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest(LAYER)}"]},
}


def read_layout(layout: Layout) -> None:
    with tempfile.TemporaryDirectory() as folder, only_image_errors():
        sources.read(["-"], cache=Path(folder), stdin=io.BytesIO(layout.tar()))


@usual
@given(st.sampled_from(list(places(CONFIG))), JSON)
def test_a_config_with_any_value_in_any_place(way: tuple[Any, ...], value: Any) -> None:
    layout = Layout()
    about = layout.put(json.dumps(changed(CONFIG, way, value)).encode())
    layout.list(layout.put(json.dumps({"config": about, "layers": [layout.put(LAYER)]}).encode()), "it:1")
    read_layout(layout)


MANIFEST = {
    "config": {**descriptor(config_of(LAYER)), "mediaType": "application/vnd.oci.image.config.v1+json"},
    "layers": [{**descriptor(LAYER), "mediaType": "application/vnd.oci.image.layer.v1.tar"}],
}


@usual
@given(st.sampled_from(list(places(MANIFEST))), JSON)
def test_a_manifest_with_any_value_in_any_place(way: tuple[Any, ...], value: Any) -> None:
    layout = Layout()
    layout.image(LAYER)
    layout.list(layout.put(json.dumps(changed(MANIFEST, way, value)).encode()), "it:1")
    read_layout(layout)


INDEX = {
    "manifests": [
        {"digest": "", "size": 0, "platform": {"os": "linux", "architecture": "amd64"}, "annotations": {"a": "b"}}
    ]
}


@few
@given(st.sampled_from(list(places(INDEX))), JSON, st.booleans())
def test_an_index_with_any_value_in_any_place(way: tuple[Any, ...], value: Any, top: bool) -> None:
    layout = Layout()
    about = layout.image(LAYER)
    right = {"manifests": [{**INDEX["manifests"][0], **about}]}
    index = changed(right, way, value)
    if top:
        files = {**layout.files(), "index.json": json.dumps(index).encode()}
        with tempfile.TemporaryDirectory() as folder, only_image_errors():
            data = tar([file(name, content) for name, content in files.items()])
            sources.read(["-"], cache=Path(folder), stdin=io.BytesIO(data))
    else:
        layout.list(layout.put(json.dumps(index).encode()))
        read_layout(layout)


CONTENTS = [{"Config": "c.json", "RepoTags": ["it:1"], "Layers": ["l.tar"]}]


@few
@given(st.sampled_from(list(places(CONTENTS))), JSON)
def test_a_docker_archive_s_manifest_with_any_value_in_any_place(way: tuple[Any, ...], value: Any) -> None:
    contents = json.dumps(changed(CONTENTS, way, value)).encode()
    data = tar([file("l.tar", LAYER), file("c.json", config_of(LAYER)), file("manifest.json", contents)])
    with tempfile.TemporaryDirectory() as folder, only_image_errors():
        sources.read(["-"], cache=Path(folder), stdin=io.BytesIO(data))


# The merged tree, against a slow and simple model of it


def model(layers: Sequence[Layer]) -> dict[str, int]:
    """Lay the layers over each other, an entry at a time: path -> number of the layer that brought it."""
    tree: dict[str, tuple[int, bool]] = {}
    for number, one in enumerate(layers, start=1):
        for path in list(tree):
            above = list(parents(path))
            if any(gone in {path, *above} for gone in one.removed) or any(empty in above for empty in one.emptied):
                del tree[path]
        for path, entry in one.entries.items():
            if not entry.is_folder:
                for below in [each for each in tree if each.startswith(path + "/")]:
                    del tree[below]
            for folder in parents(path):
                if folder != "/" and (folder not in tree or not tree[folder][1]):
                    tree[folder] = (number, True)
            tree[path] = (number, entry.is_folder)
    return {path: number for path, (number, _) in tree.items()}


def parents(path: str) -> Iterator[str]:
    while path != "/":
        path = posixpath.dirname(path)
        yield path


@st.composite
def stacks(draw: st.DrawFn) -> list[Layer]:
    layers = []
    for number in range(draw(st.integers(1, 4))):
        tree = draw(trees())
        some = st.lists(PATHS.map(lambda path: f"/{path}"), max_size=2)
        removed, emptied = tuple(draw(some)), tuple(draw(some))
        layers.append(Layer(f"sha256:{number}", tree, removed, emptied, 0, 0, (), {}))
    return layers


@usual
@given(stacks())
def test_the_merged_tree_is_that_of_a_slow_and_simple_model(layers: list[Layer]) -> None:
    merger = Merger()
    tree, brought_by = merger.merge(layers)
    assert brought_by == model(layers)
    assert set(tree) == set(brought_by)
    again, by = merger.merge(layers)
    assert (again, by) == (tree, brought_by)
    merger.merge(layers[:1])
    assert merger.merge(layers) == (tree, brought_by)
