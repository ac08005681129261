"""The private engine's bridge and its few firewall rules, made and removed with the tools of its own root."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path

from stageproof.engine import addresses
from stageproof.engine.home import Home

USER_BRIDGE = re.compile(rb'"BridgeName":"(br-[0-9a-f]{12})"')


class NetworkError(Exception):
    """A network tool failed; the text is what it said."""


def run_in_root(home: Home, *command: str) -> str:
    """Run a tool of the root file system on the host's network."""
    done = subprocess.run(
        ["chroot", str(home.root), *command],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
    )
    if done.returncode != 0:
        message = f"{' '.join(command)}: {done.stderr.strip() or done.returncode}"
        raise NetworkError(message)
    return done.stdout


def free_range(home: Home, wanted: IPv4Network | None) -> IPv4Network:
    """Choose the engine's range; its own bridge, if one is left, does not count as a user."""
    remove_bridges(home, wanted)
    taken = addresses.used(
        run_in_root(home, "ip", "-j", "-4", "route", "show", "table", "all"),
        run_in_root(home, "ip", "-j", "-4", "address"),
        Path("/etc/resolv.conf").read_text() if Path("/etc/resolv.conf").exists() else "",
    )
    chosen = addresses.choose(taken, wanted)
    if chosen is None:
        message = "every private address range is in use on this host"
        raise NetworkError(message)
    return chosen


def make_bridge(home: Home, pool: IPv4Network) -> str:
    """Make the bridge with the first address of the range, and give that address with its prefix."""
    address = f"{pool.network_address + 1}/24"
    run_in_root(home, "ip", "link", "add", home.bridge, "type", "bridge")
    run_in_root(home, "ip", "address", "add", address, "dev", home.bridge)
    run_in_root(home, "ip", "link", "set", home.bridge, "up")
    return address


def remove_bridges(home: Home, pool: IPv4Network | None) -> None:
    """Remove the bridge, and those of networks that the engine's users made: dockerd leaves them at its end."""
    links = json.loads(run_in_root(home, "ip", "-j", "address", "show", "type", "bridge") or "[]")
    database = home.data / "network/files/local-kv.db"
    known = {name.decode() for name in USER_BRIDGE.findall(database.read_bytes())} if database.exists() else set()
    for link in links:
        name = link.get("ifname", "")
        held = [one["local"] for one in link.get("addr_info", []) if one.get("family") == "inet"]
        inside = pool is not None and any(IPv4Network(one).subnet_of(pool) for one in held)
        if name == home.bridge or name in known or (inside and name.startswith("br-")):
            _remove_bridge(home, name)


def _remove_bridge(home: Home, name: str) -> None:
    """Remove a bridge with its ports: a container's goes with the container, but one that was half made stays."""
    for port in json.loads(run_in_root(home, "ip", "-j", "link", "show", "master", name) or "[]"):
        with suppress(NetworkError):  # it may have gone meanwhile
            run_in_root(home, "ip", "link", "delete", port["ifname"])
    run_in_root(home, "ip", "link", "delete", name)


def rules(home: Home, pool: IPv4Network) -> list[list[str]]:
    """List the rules: containers reach out under the host's address, answers come back, nobody else comes in."""
    mark = ["-m", "comment", "--comment", home.cgroup]
    mine = str(pool)
    return [
        ["-t", "nat", "-A", "POSTROUTING", "-s", mine, "!", "-d", mine, *mark, "-j", "MASQUERADE"],
        # Each is put in front of the others, so the last one here is read first.
        ["-t", "filter", "-I", "FORWARD", "-d", mine, *mark, "-j", "DROP"],
        ["-t", "filter", "-I", "FORWARD", "-s", mine, *mark, "-j", "ACCEPT"],
        [
            *("-t", "filter", "-I", "FORWARD", "-d", mine),
            *("-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"),
            *(*mark, "-j", "ACCEPT"),
        ],
    ]


def backend(home: Home) -> str:
    """Give the flavour of iptables that the host uses: rules of one do not undo a refusal of the other."""
    if not legacy_tables():
        return "nft"
    legacy, modern = (_count(home, f"iptables-{flavour}-save") for flavour in ("legacy", "nft"))
    return "legacy" if legacy > modern else "nft"


def legacy_tables() -> list[str]:
    """List the tables of the old flavour that are loaded. Asking for any other would load it, for good."""
    try:
        return Path("/proc/net/ip_tables_names").read_text().split()
    except OSError:
        return []


def _count(home: Home, command: str) -> int:
    try:
        return sum(line.startswith("-A") for line in run_in_root(home, command).splitlines())
    except NetworkError:
        return 0


def add_rules(home: Home, pool: IPv4Network) -> None:
    """Put the rules in place, once."""
    remove_rules(home)
    tool = f"iptables-{backend(home)}"
    for rule in rules(home, pool):
        run_in_root(home, tool, "-w", "10", *rule)


def remove_rules(home: Home) -> None:
    """Remove every rule that carries this engine's mark, whatever its range was."""
    places = [("nft", table) for table in ("nat", "filter")]
    places += [("legacy", table) for table in ("nat", "filter") if table in legacy_tables()]
    for flavour, table in places:
        for rule in _marked(home, flavour, table):
            run_in_root(home, f"iptables-{flavour}", "-w", "10", "-t", table, "-D", *rule)


def _marked(home: Home, flavour: str, table: str) -> list[Sequence[str]]:
    try:
        listed = run_in_root(home, f"iptables-{flavour}", "-w", "10", "-t", table, "-S")
    except NetworkError:
        return []  # a kernel without that flavour holds no rule of it
    return [line.split()[1:] for line in listed.splitlines() if line.startswith("-A") and home.cgroup in line]
