"""The layers at hand during one reading: those remembered on disk, and those that were just read."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from stageproof.image import layer, packing
from stageproof.image.limits import LIMITS, Limits
from stageproof.image.needles import Needles
from stageproof.image.store import Digests, Store
from stageproof.image.stream import Stream
from stageproof.image.tar import BLOCK
from stageproof.image.traffic import Traffic
from stageproof.image.tree import Layer

PIECE = 1 << 20
_SETTLED = 100_000_000
"""Nanoseconds. A file changed later than this ago may change again within one tick of the file system's clock."""


@dataclass(frozen=True)
class Blob:
    """A layer in a file: read only if it has to be."""

    what: str
    """For messages: "the layer blobs/sha256/... of app.tar"."""
    size: int
    pieces: Callable[[], Iterator[bytes]]
    seal: str = ""
    """A name for the file in its present state, see `seal`; empty: it cannot be recognised."""


def seal(about: os.stat_result, offset: int = 0, size: int = 0) -> str:
    """Name the present state of a file, or of a part of it, as the file system tells it.

    Who writes to a file changes its ctime (stat(2)), which nobody can set: the same seal means the same bytes. Empty
    for a file that changed just now.
    """
    if time.time_ns() - about.st_ctime_ns < _SETTLED:
        return ""
    state = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns, offset, size)
    return hashlib.sha256(repr(state).encode()).hexdigest()


class Shelf:
    """Gives layers by diff id, and takes in those that an archive brings. Counts what it reads."""

    def __init__(
        self,
        store: Store,
        needles: Needles,
        *,
        limits: Limits = LIMITS,
        traffic: Traffic | None = None,
        weigh: bool = True,
    ) -> None:
        self.store = store
        self.needles = needles
        self.limits = limits
        self.weigh = weigh
        self.traffic = traffic if traffic is not None else Traffic()
        self.until = time.monotonic() + limits.seconds
        self._layers: dict[str, Layer] = {}

    def layer(self, diff_id: str) -> Layer | None:
        """Give a layer that was read before, now or in an earlier run."""
        found = self._layers.get(diff_id) or self.store.layer(diff_id, self.needles)
        if found is None or (self.weigh and not found.pull):
            return None
        self._layers[diff_id] = found
        return found

    def settle(self, blob: Blob, diff_id: str) -> Digests:
        """See to it that the layer of a file is at hand, and tell its digests; `diff_id` is what it should be.

        No byte is read where the very file was read before. A copy of a remembered layer is only hashed.
        """
        known = self.store.digests(blob.seal) if blob.seal else None
        if known and self.layer(known.diff_id) is not None:
            return known
        if self.layer(diff_id) is not None:
            found = self.prove(blob.pieces(), blob.what)
        else:
            found = self.take(blob.pieces(), blob.what, diff_id)
        if blob.seal:
            self.store.remember_digests(blob.seal, found)
        return found

    def take(self, pieces: Iterable[bytes], what: str, diff_id: str = "") -> Digests:
        """Index a layer, packed or not, and remember it. Raises ImageError.

        `diff_id` is what it should be, where that is known: a layer that was weighed before is not weighed again.
        """
        before = self.traffic.layer_bytes
        digest, data, head = self._opened(pieces, what)
        packed = packing.is_packed(head)
        unpacked = packing.unpacked(head, data.rest(), what, self.limits)
        pull = self.store.pull(diff_id) if diff_id and not packed else 0
        weigh = self.weigh and not packed and not pull
        read = layer.read(unpacked, self.needles, weigh=weigh, limits=self.limits, what=what, until=self.until)
        if packed:
            pull = self.traffic.layer_bytes - before
        if read.diff_id == diff_id or packed:
            read = replace(read, pull=read.pull or pull)
        self.traffic.indexed[read.diff_id] += 1
        self._layers[read.diff_id] = self.store.remember(read, self.needles)
        blob = f"sha256:{digest.hexdigest()}" if digest else read.diff_id
        return self._noted(Digests(blob, read.diff_id))

    def prove(self, pieces: Iterable[bytes], what: str) -> Digests:
        """Tell the digests of a layer without indexing it."""
        digest, data, head = self._opened(pieces, what)
        unpacked = hashlib.sha256()
        for piece in packing.unpacked(head, data.rest(), what, self.limits):
            unpacked.update(piece)
        diff_id = f"sha256:{unpacked.hexdigest()}"
        self.traffic.hashed[diff_id] += 1
        blob = f"sha256:{digest.hexdigest()}" if digest else diff_id
        return self._noted(Digests(blob, diff_id))

    def named(self, digest: str) -> Digests | None:
        """Tell the digests of a layer that an engine names by one of them, where that layer is at hand."""
        if self.layer(digest) is not None:
            return Digests(digest, digest)
        known = self.store.digests(digest.removeprefix("sha256:"))
        return known if known and self.layer(known.diff_id) is not None else None

    def _noted(self, found: Digests) -> Digests:
        if found.blob != found.diff_id:
            self.store.remember_digests(found.blob.removeprefix("sha256:"), found)
        return found

    def _opened(self, pieces: Iterable[bytes], what: str) -> tuple[hashlib._Hash | None, Stream, bytes]:
        """Look at the first bytes; those of a packed layer are hashed as they pass."""
        data = Stream(self._counted(pieces), what, until=self.until)
        head = data.peek(BLOCK)
        if not packing.is_packed(head):
            return None, data, head
        digest = hashlib.sha256()
        return digest, Stream(_hashed(data.rest(), digest), what, until=self.until), head

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.traffic.layer_bytes += len(piece)
            yield piece


def _hashed(pieces: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece
