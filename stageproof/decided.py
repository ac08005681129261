"""What was decided before about an image that has not changed: reading it again could only say the same.

The findings of one image are remembered beside its layers, under a key of everything that they rest on: the image and
its base by their digests, the contract, the Dockerfile, the platform, the day (some claims look at the calendar) and
every file of this package. Only an engine's images are: it names them by what they hold. Unknowns are asked again.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec

from stageproof.contract import Contract
from stageproof.dockerfile import Dockerfile
from stageproof.image.store import Store
from stageproof.model import Verdict
from stageproof.verify import Verified

_PACKAGE = Path(__file__).resolve().parent
_DECODER = msgspec.json.Decoder(Verified)


def key(ids: Sequence[str], name: str, contract: Contract, wanted: str, file: Dockerfile | None) -> str:
    """Give the key of an image's findings.

    `ids` are its own, that of its base (empty if that is not there), and digests of other files that they rest on;
    `wanted` is the platform that was asked for, `name` what the findings call the image.
    """
    rests_on = (tuple(ids), name, contract, wanted, file, today(), platform.machine(), deciding())
    return hashlib.sha256(repr(rests_on).encode("utf-8", "surrogateescape")).hexdigest()


def today() -> str:
    """Give the day: whether a base still gets security updates depends on it."""
    return datetime.now(UTC).date().isoformat()


@cache
def deciding() -> str:
    """Give a digest of every file of this package: each may have a say in a verdict."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            data = path.read_bytes()
            digest.update(f"{path.relative_to(_PACKAGE)} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def recall(store: Store, key: str) -> Verified | None:
    """Give what was decided under this key; None if nothing was, or it cannot be read any more."""
    try:
        return _DECODER.decode(store.findings(key))
    except msgspec.MsgspecError:
        return None


def remember(store: Store, key: str, verified: Verified) -> None:
    """Keep what was decided, if all of it was."""
    if any(each.finding.verdict is Verdict.UNKNOWN for each in verified.judged):
        return
    try:
        data = msgspec.json.encode(verified)
    except (ValueError, msgspec.MsgspecError):
        return  # it names a file that JSON cannot name
    store.remember_findings(key, data)
