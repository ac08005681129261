"""How far an archive is read before it is called hostile: data, so that a test can set them small."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of the reader. Beyond one of them it raises ImageError and never guesses."""

    entries: int = 2_000_000
    """Entries of one layer."""
    members: int = 20_000
    """Entries of the outer archive: its layers and documents."""
    path: int = 4096
    """Bytes of a path, as the kernel's PATH_MAX."""
    name: int = 255
    """Bytes of one part of a path, as the kernel's NAME_MAX: a longer one cannot be unpacked anywhere."""
    depth: int = 256
    """Folders in a path."""
    extension: int = 1 << 20
    """Bytes of all extended headers of one entry."""
    chain: int = 8
    """Extended headers before one entry."""
    attributes: int = 1 << 17
    """Bytes of the extended attributes of one entry, names and values."""
    size: int = 1 << 40
    """Bytes of one file."""
    layer: int = 1 << 38
    """Bytes of one layer, unpacked."""
    ratio: int = 500
    """Bytes out for each byte in of something packed; asked only of what unpacks to more than `ratio_from` bytes."""
    ratio_from: int = 1 << 30
    document: int = 16 << 20
    """Bytes of one JSON document, such as a config."""
    documents: int = 64 << 20
    """Bytes of all JSON documents of an archive that can be read only once."""
    kept: int = 256 << 20
    """Bytes that the index of one layer may keep: names, links, attributes, contents of package data."""
    remarks: int = 100
    """Remarks about one layer; those after them are counted."""
    seconds: float = 3600
    """From the first byte of an archive to its last."""


LIMITS = Limits()
