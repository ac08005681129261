"""Archives of every age and store are read, whatever their blobs are called."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from stageproof.errors import ImageError
from stageproof.image import read_archive

if TYPE_CHECKING:
    from tests.unit.conftest import Images


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def config_of(*layers: bytes) -> bytes:
    ids = [f"sha256:{digest(layer)}" for layer in layers]
    return json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": ids}, "config": {}}).encode()


def oci(images: Images, layer: bytes, blob: bytes, *, nested: bool = False) -> bytes:
    config = config_of(layer)
    manifest = json.dumps(
        {"config": {"digest": f"sha256:{digest(config)}"}, "layers": [{"digest": f"sha256:{digest(blob)}"}]}
    ).encode()
    top: dict[str, Any] = {"digest": f"sha256:{digest(manifest)}", "annotations": {"io.containerd.image.name": "it:1"}}
    blobs = {digest(blob): blob, digest(config): config, digest(manifest): manifest}
    if nested:
        platform = {"os": "linux", "architecture": "amd64"}
        index = json.dumps({"manifests": [{"digest": f"sha256:{digest(manifest)}", "platform": platform}]}).encode()
        blobs[digest(index)] = index
        top["digest"] = f"sha256:{digest(index)}"
    files = [images.file(f"blobs/sha256/{name}", data) for name, data in blobs.items()]
    contents = json.dumps({"manifests": [top]}).encode()
    return images.tar([*files, images.file("index.json", contents), images.file("oci-layout", b"{}")])


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.ZstdCompressor().compress])
def test_an_oci_layout_is_read_with_plain_gzipped_and_zstd_layers(images: Images, pack: Any, nested: bool) -> None:
    layer = images.tar([images.file("a", b"x" * 5000)])
    image = images.read(oci(images, layer, pack(layer), nested=nested))
    assert image.source == "it:1"
    assert image.find("/a")
    assert image.layers[0].diff_id == f"sha256:{digest(layer)}"


def test_a_gzip_of_several_parts_is_read_to_its_end(images: Images) -> None:
    layer = images.tar([images.file("a", b"x" * 5000)])
    image = images.read(oci(images, layer, gzip.compress(layer[:2000]) + gzip.compress(layer[2000:])))
    assert image.find("/a")


def test_an_archive_of_an_old_docker_is_read(images: Images) -> None:
    layer = images.tar([images.file("a")])
    config = config_of(layer)
    contents = [{"Config": "c.json", "RepoTags": ["old:1"], "Layers": ["1/layer.tar"]}]
    files = [images.file("1/layer.tar", layer), images.file("c.json", config)]
    image = images.read(images.tar([*files, images.file("manifest.json", json.dumps(contents).encode())]))
    assert image.source == "old:1"
    assert image.find("/a")


def test_a_layer_is_told_from_a_document_even_if_its_first_name_looks_like_one(images: Images) -> None:
    assert images.image([images.file("{a")]).find("/{a")


def test_a_blob_that_is_neither_layer_nor_document_is_passed_over(images: Images) -> None:
    data = images.archive([images.tar([images.file("a")])])
    more = images.tar([images.file("blobs/sha256/1", b"{no json"), images.file("blobs/sha256/2", b"\x00signature")])
    assert images.read(more[:2048] + data).find("/a")


def test_an_empty_layer_is_a_layer(images: Images) -> None:
    image = images.read(images.archive([bytes(1024), images.tar([images.file("a")])]))
    assert [len(layer.entries) for layer in image.layers] == [0, 1]


def test_two_images_that_share_a_layer_are_both_given(images: Images) -> None:
    layer = images.tar([images.file("a")])
    first, second = config_of(layer), config_of(layer, layer)
    contents = [
        {"Config": "1.json", "RepoTags": ["one:1"], "Layers": ["l.tar"]},
        {"Config": "2.json", "RepoTags": None, "Layers": ["l.tar", "l.tar"]},
    ]
    files = [images.file("l.tar", layer), images.file("1.json", first), images.file("2.json", second)]
    data = images.tar([*files, images.file("manifest.json", json.dumps(contents).encode())])
    both = read_archive([data], cache=images.cache)
    assert set(both) == {"one:1", f"sha256:{digest(second)}"}


def test_a_layer_that_lies_about_its_digest_is_not_taken_for_the_one_it_names(images: Images) -> None:
    true, lie = images.tar([images.file("a")]), images.tar([images.file("evil")])
    data = images.archive([true])
    with pytest.raises(ImageError) as caught:
        images.read(data.replace(true[: len(lie)], lie))
    assert "has another digest" in caught.value.seen


def test_an_archive_without_an_image_is_told(images: Images) -> None:
    with pytest.raises(ImageError, match="holds no image"):
        images.read(images.tar([images.file("readme.txt")]))


def test_an_archive_cut_off_is_told(images: Images) -> None:
    data = images.archive([images.tar([images.file("a", b"x" * 5000)])])
    with pytest.raises(ImageError, match="cut off"):
        images.read(data[:3000])


def test_a_damaged_gzip_is_told(images: Images) -> None:
    layer = images.tar([images.file("a", bytes(range(256)) * 20)])
    packed = bytearray(gzip.compress(layer))
    packed[40:60] = bytes(20)
    with pytest.raises(ImageError):
        images.read(oci(images, layer, bytes(packed)))


def test_a_config_of_a_wrong_shape_is_told(images: Images) -> None:
    data = images.archive([images.tar([images.file("a")])], {"Env": [1, 2]})
    with pytest.raises(ImageError, match="configuration"):
        images.read(data)


def test_a_document_that_is_no_json_is_told(images: Images) -> None:
    with pytest.raises(ImageError, match="no JSON"):
        images.read(images.tar([images.file("manifest.json", b"[{")]))


def test_the_configuration_is_read_as_it_is_declared(images: Images) -> None:
    image = images.image(
        [images.file("a")],
        User="65532:65532",
        Env=["PATH=/bin", "A=b=c"],
        Entrypoint=["/a"],
        Cmd=["x"],
        ExposedPorts={"8080/tcp": {}},
        Labels={"k": "v"},
        StopSignal="SIGINT",
        Volumes={"/data": {}},
        Healthcheck={"Test": ["CMD", "/a"], "Interval": 10_000_000_000, "Retries": 3},
    )
    config = image.config
    assert image.platform == "linux/amd64"
    assert (config.user, config.workdir, config.command) == ("65532:65532", "/", ("/a", "x"))
    assert (config.env["A"], config.exposed, config.labels) == ("b=c", ("8080/tcp",), {"k": "v"})
    assert (config.stop_signal, config.volumes) == ("SIGINT", ("/data",))
    assert config.healthcheck
    assert (config.healthcheck.interval, config.healthcheck.retries) == (10.0, 3)
