"""An archive as a stream that passes once: every layer is taken in as it comes, and every document kept."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from stageproof.errors import ImageError
from stageproof.image import packing
from stageproof.image.archive import followed, listed, outer_limits
from stageproof.image.aside import ahead
from stageproof.image.shelf import Shelf
from stageproof.image.store import Digests
from stageproof.image.stream import Stream
from stageproof.image.tar import BLOCK, REGULAR, Tar

_NAMED = re.compile(r"(?:^|/)([0-9a-f]{64})$")


@dataclass
class Passed:
    """An archive that passed by once: every layer was taken in, every document kept."""

    documents: dict[str, bytes] = field(default_factory=dict)
    layers: dict[str, tuple[Digests, int]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def document(self, path: str) -> bytes | None:
        """Give a small file; None if it was not there."""
        return self.documents.get(followed(path, self.links))

    def documents_at(self, folder: str, largest: int) -> Iterator[str]:
        """Give the paths of the files right in a folder that began as a JSON object."""
        for path, data in self.documents.items():
            if posixpath.dirname(path) == folder and len(data) <= largest and data.startswith(b"{"):
                yield path

    def layer(self, path: str, diff_id: str) -> tuple[Digests, int] | None:
        """Give a layer's digests and its size; None if it was not there."""
        del diff_id  # what it should be was not known when it passed
        return self.layers.get(followed(path, self.links))


def passing(pieces: Iterable[bytes], what: str, shelf: Shelf, *, trusted: bool = False) -> Passed:
    """Read an archive once, from front to back. Raises ImageError.

    An engine is `trusted` to name blobs by their digest: what it names and is remembered is passed over unread.
    """
    coming = ahead(pieces)
    try:
        return _passed(Stream(coming, what, until=shelf.until), what, shelf, trusted=trusted)
    finally:
        coming.close()


def _passed(outer: Stream, what: str, shelf: Shelf, *, trusted: bool) -> Passed:
    head = outer.peek(BLOCK)
    tar = Tar(
        Stream(packing.unpacked(head, outer.rest(), what, shelf.limits), what, until=shelf.until), outer_limits(shelf)
    )
    passed = Passed()
    documents = 0
    seen: set[str] = set()
    for member in tar:
        path = listed(member, passed.links, seen, what)
        if member.type != REGULAR:
            continue
        data = Stream(tar.data(), f"the layer {path} of {what}", until=shelf.until)
        head = data.peek(BLOCK)
        if packing.is_packed(head) or _is_tar(head):
            passed.layers[path] = (_taken(path, data, shelf, trusted=trusted), member.size)
        elif head.lstrip()[:1] in {b"{", b"["} and member.size <= shelf.limits.document:
            documents += member.size
            if documents > shelf.limits.documents:
                raise _too_many(what, shelf)
            passed.documents[path] = data.take(member.size)
        for _ in data.rest():
            pass
    return passed


def _taken(path: str, data: Stream, shelf: Shelf, *, trusted: bool) -> Digests:
    match = _NAMED.search(path)
    name = f"sha256:{match[1]}" if match else ""
    known = shelf.named(name) if name else None
    if known and trusted:
        return known
    # The name only saves work: the bytes are hashed all the same.
    return shelf.prove(data.rest(), data.what) if known else shelf.take(data.rest(), data.what, name)


def _too_many(what: str, shelf: Shelf) -> ImageError:
    failed = f"{what} cannot be read"
    seen = f"its JSON documents have more than {shelf.limits.documents} bytes together"
    return ImageError(failed, seen=seen, why="they have to be kept until the last one is read")


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar" or (len(head) == BLOCK and not head.strip(b"\0"))
