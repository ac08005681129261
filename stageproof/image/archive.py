"""The archive that `docker save` gives: layers and JSON documents, in whatever order and form they come.

Docker archives of every age and OCI layouts hold the same two things under different names. Here every blob is told by
its content: JSON is kept, a tar (plain, gzip or zstd) is a layer, and both are known by their digest. Names are not
trusted.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import zstandard

from stageproof.errors import ImageError
from stageproof.image import layer
from stageproof.image.needles import Needles
from stageproof.image.store import Store
from stageproof.image.stream import Stream
from stageproof.image.tar import BLOCK, Tar

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_LARGEST_DOCUMENT = 16 << 20
_LARGEST_LAYER = 1 << 38
_OUT = 1 << 20
_NAMED = re.compile(r"/([0-9a-f]{64})$")


@dataclass
class Documents:
    """What an archive says about its images, by digest, and its two lists of contents."""

    by_digest: dict[str, Any] = field(default_factory=dict)
    manifest: list[Mapping[str, Any]] = field(default_factory=list)
    """manifest.json of a docker archive."""
    index: Mapping[str, Any] = field(default_factory=dict)
    """index.json of an OCI layout."""
    by_path: dict[str, str] = field(default_factory=dict)
    """Path in the archive -> digest, of documents."""


def read(pieces: Iterable[bytes], store: Store, needles: Needles) -> Documents:
    """Read an archive once: layers that are not remembered are indexed and remembered, documents are given back."""
    documents = Documents()
    tar = Tar(Stream(pieces, "the image archive"))
    for member in tar:
        if member.size == 0:
            continue
        data = Stream(tar.data(), member.path)
        head = data.peek(BLOCK)
        if head.startswith((_GZIP, _ZSTD)) or _is_tar(head):
            _layer(member.path, data, head, store, needles)
        elif head.lstrip()[:1] in {b"{", b"["} and member.size <= _LARGEST_DOCUMENT:
            _document(documents, member.path, data.take(member.size))
        for _ in data.rest():
            pass
    return documents


def _document(documents: Documents, path: str, data: bytes) -> None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        if path not in {"manifest.json", "index.json"}:
            return
        failed = f"the image archive's {path} is no JSON"
        raise ImageError(failed, seen=str(error), why="it says which layers make an image") from error
    if path == "manifest.json" and isinstance(document, list):
        documents.manifest = document
    elif path == "index.json" and isinstance(document, dict):
        documents.index = document
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    documents.by_digest[digest] = document
    documents.by_path[path] = digest


def _layer(path: str, data: Stream, head: bytes, store: Store, needles: Needles) -> None:
    # Docker names an unpacked layer by its digest. The name only saves work: what is remembered was computed.
    named = f"sha256:{match[1]}" if (match := _NAMED.search(path)) else ""
    if named and store.layer(named, needles) is not None:
        return
    is_weighed = bool(named) and store.index(named) is not None
    store.remember(layer.read(_unpacked(data, head), needles, weigh=not is_weighed), needles)


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar" or (len(head) == BLOCK and not head.strip(b"\0"))


def _unpacked(data: Stream, head: bytes) -> Iterator[bytes]:
    if head.startswith(_GZIP):
        return _bounded(_gunzip(data.rest()))
    if head.startswith(_ZSTD):
        return _bounded(_unzstd(data.rest()))
    return data.rest()


def _bounded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > _LARGEST_LAYER:
            failed = "a layer cannot be read"
            raise ImageError(
                failed, seen=f"it unpacks to more than {_LARGEST_LAYER} bytes", why="it would fill any disk"
            )
        yield piece


def _gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(31)
    try:
        for piece in pieces:
            waiting = piece
            while waiting:
                yield unpacker.decompress(waiting, _OUT)
                waiting = unpacker.unconsumed_tail
                if unpacker.eof:  # a gzip file may have several parts
                    waiting, unpacker = unpacker.unused_data, zlib.decompressobj(31)
    except zlib.error as error:
        raise _damaged(error) from error


def _unzstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj(read_across_frames=True)
    try:
        for piece in pieces:
            yield unpacker.decompress(piece)
    except zstandard.ZstdError as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> ImageError:
    failed = "a layer cannot be unpacked"
    return ImageError(
        failed, seen=str(error), why="what is missing cannot be checked", do="make or pull the image again"
    )
