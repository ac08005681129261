"""An address range for the private engine that nothing else on this host uses."""

from __future__ import annotations

import ipaddress
import itertools
import json
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network


def used(routes: str, addresses: str, resolv_conf: str) -> list[IPv4Network]:
    """Read what is in use from `ip -j route show table all`, `ip -j address`, and the resolver's configuration."""
    found = [route["dst"] for route in json.loads(routes or "[]") if route.get("dst") not in {None, "default"}]
    found += [
        f"{address['local']}/{address['prefixlen']}"
        for link in json.loads(addresses or "[]")
        for address in link.get("addr_info", [])
        if address.get("family") == "inet" and "local" in address
    ]
    lines = (line.split() for line in resolv_conf.splitlines())
    found += [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]
    return [network for text in found if (network := _network(text)) is not None]


def _network(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return None  # IPv6, which the engine does not take from the host


def candidates() -> Iterator[IPv4Network]:
    """Give private ranges, those that offices and clouds use least first."""
    return itertools.chain(
        ipaddress.IPv4Network("10.192.0.0/10").subnets(new_prefix=16),
        ipaddress.IPv4Network("172.16.0.0/12").subnets(new_prefix=16),
        ipaddress.IPv4Network("192.168.0.0/16").subnets(new_prefix=20),
    )


def choose(taken: Iterable[IPv4Network], wanted: IPv4Network | None = None) -> IPv4Network | None:
    """Give `wanted` if it is free, else the first free candidate, else nothing."""
    taken = [network for network in taken if network.prefixlen > 0]
    first = [] if wanted is None else [wanted]
    free = (one for one in itertools.chain(first, candidates()) if not any(one.overlaps(other) for other in taken))
    return next(free, None)
