"""Platforms: as a config tells it, as a user writes it, and which of several is meant."""

from __future__ import annotations

import platform as host
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stageproof.errors import UsageError

# Go's names (`go tool dist list`) for what uname tells.
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "armv7l": "arm", "armv6l": "arm"}
_WRITTEN = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?")


@dataclass(frozen=True, order=True)
class Platform:
    """An operating system and a CPU; a variant where the image names one."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        """Write it as Docker does: `linux/arm/v7`."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @classmethod
    def of(cls, table: Mapping[str, object]) -> Platform:
        """Read it from a config, or from what an engine's inspect tells."""
        words = {name.lower(): str(value or "") for name, value in table.items()}
        return cls(words.get("os") or "linux", words.get("architecture") or "unknown", words.get("variant") or "")

    @classmethod
    def written(cls, text: str) -> Platform:
        """Read what a user wrote: `linux/arm64`. Raises UsageError."""
        if not _WRITTEN.fullmatch(text):
            failed = f"{text!r} is no platform"
            raise UsageError(
                failed, why="it is written as os/architecture or os/architecture/variant", do="linux/arm64"
            )
        os, architecture, *variant = text.split("/")
        return cls(os, architecture, "".join(variant))

    @classmethod
    def here(cls) -> Platform:
        """Give the platform whose images run on this machine."""
        machine = host.machine().lower()
        return cls("linux", _MACHINES.get(machine, machine))

    def covers(self, other: Platform) -> bool:
        """Whether an image for `other` is what was asked for; without a variant every variant is."""
        same = (self.os, self.architecture) == (other.os, other.architecture)
        # arm64 has one variant in use, v8, that is left out as often as not (containerd, "platforms").
        return same and (
            not self.variant or self.variant == other.variant or (not other.variant and self.variant == "v8")
        )


def choose(there: Iterable[Platform], asked: str) -> Platform | None:
    """Pick one of an image's platforms: what was asked for; else this machine's; else the only one. None: neither."""
    platforms = sorted(set(there))
    if asked:
        wanted = Platform.written(asked)
        return next((one for one in platforms if wanted.covers(one)), None)
    here = next((one for one in platforms if Platform.here().covers(one)), None)
    return here or (platforms[0] if len(platforms) == 1 else None)
