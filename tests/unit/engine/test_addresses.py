from __future__ import annotations

import json
from ipaddress import IPv4Network

import pytest

from stageproof.engine.addresses import candidates, choose, used

ROUTES = json.dumps(
    [
        {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"},
        {"dst": "10.192.0.0/12", "dev": "vpn0"},
        {"type": "local", "dst": "192.0.2.2", "dev": "eth0"},
    ]
)
ADDRESSES = json.dumps(
    [
        {"ifname": "lo", "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8}]},
        {
            "ifname": "eth0",
            "addr_info": [
                {"family": "inet", "local": "10.208.3.4", "prefixlen": 16},
                {"family": "inet6", "local": "fd00::2", "prefixlen": 64},
            ],
        },
    ]
)


def test_routes_addresses_and_resolvers_count_as_used() -> None:
    taken = used(ROUTES, ADDRESSES, "search corp\nnameserver 10.209.0.53\nnameserver fd00::53\n")

    assert IPv4Network("10.192.0.0/12") in taken
    assert IPv4Network("10.208.0.0/16") in taken
    assert IPv4Network("10.209.0.53/32") in taken
    assert IPv4Network("192.0.2.2/32") in taken


def test_the_default_route_is_not_a_used_range() -> None:
    assert choose(used(ROUTES, "[]", "")) is not None


def test_the_first_range_that_overlaps_nothing_is_chosen() -> None:
    taken = used(ROUTES, ADDRESSES, "nameserver 10.209.0.53\n")

    assert choose(taken) == IPv4Network("10.210.0.0/16")


def test_a_wanted_range_is_kept_while_it_is_free() -> None:
    wanted = IPv4Network("10.240.0.0/16")

    assert choose([], wanted) == wanted
    assert choose([IPv4Network("10.240.9.0/24")], wanted) == IPv4Network("10.192.0.0/16")


def test_where_all_of_ten_is_routed_into_a_vpn_another_private_block_is_chosen() -> None:
    assert choose([IPv4Network("10.0.0.0/8")]) == IPv4Network("172.16.0.0/16")


def test_where_everything_is_used_nothing_is_chosen() -> None:
    taken = [IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]

    assert choose(taken) is None


@pytest.mark.parametrize("network", list(candidates()), ids=str)
def test_every_candidate_is_private(network: IPv4Network) -> None:
    assert network.is_private
