"""Tar archives written by hand, byte by byte: what no tar program would write."""

from __future__ import annotations

from stageproof.image.tar import BLOCK

END = bytes(2 * BLOCK)


def header(
    name: bytes = b"name",
    size: bytes = b"00000000000\0",
    kind: bytes = b"0",
    link: bytes = b"",
    mode: bytes = b"0000644\0",
) -> bytes:
    block = bytearray(BLOCK)
    block[0 : len(name)] = name
    block[100:108] = mode
    block[108:116] = block[116:124] = b"0000000\0"
    block[124:136] = size
    block[136:148] = b"00000000000\0"
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257:265] = b"ustar\x0000"
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def octal(number: int) -> bytes:
    return b"%011o\0" % number


def extended(kind: bytes, data: bytes) -> bytes:
    return header(b"ext", octal(len(data)), kind) + data + bytes(-len(data) % BLOCK)


def record(name: str, value: bytes) -> bytes:
    rest = b" " + name.encode() + b"=" + value + b"\n"
    size = len(rest) + 1
    while len(str(size)) + len(rest) != size:
        size += 1
    return str(size).encode() + rest
