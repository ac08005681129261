"""Packets, read for whom they look for."""

from __future__ import annotations

import socket
import struct

import pytest

from stageproof.live.helper.agent.sink import ACKNOWLEDGED, SYN, TCP, UDP, read

QUERY = b"\0" * 12 + b"\4home\7example\3org\0\0\1\0\1"


def packet(address: str, protocol: int, port: int, rest: bytes) -> bytes:
    """Make a packet with as much of its headers as is read."""
    transport = struct.pack(">HH", 40000, port) + rest
    if ":" in address:
        head = struct.pack(">IHBB", 6 << 28, len(transport), protocol, 64) + bytes(16)
        return head + socket.inet_pton(socket.AF_INET6, address) + transport
    head = struct.pack(">BBHIBBHI", 0x45, 0, 20 + len(transport), 0, 64, protocol, 0, 0)
    return head + socket.inet_pton(socket.AF_INET, address) + transport


def tcp(flags: int) -> bytes:
    return bytes(8) + bytes([0x50, flags]) + bytes(6)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (packet("192.0.2.1", TCP, 443, tcp(SYN)), "192.0.2.1 port 443"),
        (packet("2001:db8::1", TCP, 443, tcp(SYN)), "2001:db8::1 port 443"),
        (packet("192.0.2.1", UDP, 9, bytes(4)), "192.0.2.1 port 9/udp"),
        (packet("192.0.2.53", UDP, 53, bytes(4) + QUERY), "the name server 192.0.2.53 for home.example.org"),
        (packet("2001:db8::1", UDP, 53, bytes(4) + QUERY), "the name server 2001:db8::1 for home.example.org"),
        (packet("192.0.2.53", UDP, 53, bytes(4) + bytes(17)), "the name server 192.0.2.53 for the root"),
        (packet("192.0.2.1", TCP, 443, tcp(SYN | ACKNOWLEDGED)), ""),
        (packet("192.0.2.1", TCP, 443, tcp(ACKNOWLEDGED)), ""),
        (packet("127.0.0.1", TCP, 8080, tcp(SYN)), ""),
        (packet("::1", UDP, 8080, bytes(4)), ""),
        (packet("192.0.2.1", 1, 0, bytes(8)), ""),
    ],
)
def test_a_packet_says_whom_it_looks_for(seen: bytes, said: str) -> None:
    assert read(seen) == said
