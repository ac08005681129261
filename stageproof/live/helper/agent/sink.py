"""A network that leads nowhere: every address is this machine, nothing listens, and whoever was looked for is noted.

For a helper that may administer a network namespace of its own. Sources: rtnetlink(7), packet(7), RFC 1035.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from typing import Any

RTM_NEWROUTE, REQUEST, ACK, CREATE = 24, 0x1, 0x4, 0x400
LOCAL_TABLE, STATIC, HOST_SCOPE, LOCAL = 255, 4, 254, 2
OUT_INTERFACE = 4
EVERY_PROTOCOL = 3
PACKET_OUTGOING = 4
TCP, UDP, DNS_PORT = 6, 17, 53
SYN, ACKNOWLEDGED = 0x02, 0x10
MOST = 100
"""How many different ones are noted."""

Json = dict[str, Any]
attempts: dict[str, None] = {}


def begin() -> Json:
    """Lead every address to the loopback, and note from now on who is looked for there."""
    lo = socket.if_nametoindex("lo")
    families = [socket.AF_INET, *([socket.AF_INET6] if os.path.exists("/proc/net/if_inet6") else [])]  # noqa: PTH110
    for family in families:
        _route(family, lo)
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(EVERY_PROTOCOL))
    packets.bind(("lo", EVERY_PROTOCOL))
    threading.Thread(target=_watch, args=(packets,), daemon=True).start()
    return {}


def _route(family: int, interface: int) -> None:
    """Do what `ip route add local default dev lo` does."""
    route = struct.pack("=BBBBBBBBI", family, 0, 0, 0, LOCAL_TABLE, STATIC, HOST_SCOPE, LOCAL, 0)
    attribute = struct.pack("=HHI", 8, OUT_INTERFACE, interface)
    length = 16 + len(route) + len(attribute)
    head = struct.pack("=IHHII", length, RTM_NEWROUTE, REQUEST | ACK | CREATE, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(head + route + attribute)
        (failure,) = struct.unpack_from("=i", kernel.recv(4096), 16)
    if failure:
        raise OSError(-failure, os.strerror(-failure))


def _watch(packets: socket.socket) -> None:
    while True:
        data, sender = packets.recvfrom(2048)
        if sender[2] == PACKET_OUTGOING and len(attempts) < MOST:
            # What cannot be read is no packet of an app.
            with contextlib.suppress(IndexError, struct.error, UnicodeDecodeError):
                found = read(data)
                if found:
                    attempts[found] = None


def read(packet: bytes) -> str:
    """Say whom a packet looks for; empty if it is an answer, or stays on the loopback."""
    if packet[0] >> 4 == 4:  # noqa: PLR2004 -- the version of IP
        start, protocol = 4 * (packet[0] & 15), packet[9]
        address = socket.inet_ntop(socket.AF_INET, packet[16:20])
    else:
        start, protocol = 40, packet[6]
        address = socket.inet_ntop(socket.AF_INET6, packet[24:40])
    if address.startswith("127.") or address == "::1" or protocol not in {TCP, UDP}:
        return ""
    (port,) = struct.unpack_from(">H", packet, start + 2)
    if protocol == TCP:
        flags = packet[start + 13]
        return f"{address} port {port}" if flags & SYN and not flags & ACKNOWLEDGED else ""
    if port == DNS_PORT:
        return f"the name server {address} for {_name(packet[start + 8 + 12 :])}"
    return f"{address} port {port}/udp"


def _name(question: bytes) -> str:
    """Read the name that a DNS query asks for."""
    labels = []
    while question[0]:
        labels.append(question[1 : 1 + question[0]].decode("ascii"))
        question = question[1 + question[0] :]
    return ".".join(labels) or "the root"
