"""What reading has cost, counted: so that "nothing was read twice" can be shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Traffic:
    """Bytes of layers that went through the reader, and which layers were indexed. Adds up over calls."""

    layer_bytes: int = 0
    """Bytes of layers as they stand in their archives, indexed or only hashed."""
    indexed: Counter[str] = field(default_factory=Counter)
    """Diff id -> how many times the layer was read to be indexed."""
    hashed: Counter[str] = field(default_factory=Counter)
    """Diff id -> how many times a copy of a remembered layer was read, only to prove that it is one."""
    saved: list[tuple[str, ...]] = field(default_factory=list)
    """What engines were asked to save, a request each."""
