"""Looking for many byte strings at once, in one pass over the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import ahocorasick_rs

_WINDOW = 1 << 20
_BEGINNING = 16
_MANY = 64
_NONE: frozenset[bytes] = frozenset()


class Patterns:
    """A set of byte strings to be looked for. Made once, used for many files."""

    def __init__(self, patterns: Iterable[bytes]) -> None:
        self.patterns = tuple(dict.fromkeys(pattern for pattern in patterns if pattern))
        self._overlap = max((len(pattern) for pattern in self.patterns), default=1) - 1
        # Only how a pattern begins: long ones take seconds to make ready, and what begins alike is looked at again.
        starts = tuple(dict.fromkeys(pattern[:_BEGINNING] for pattern in self.patterns))
        # "Leftmost first" is the kind for which the finder looks for many patterns with vector instructions.
        kind = ahocorasick_rs.MatchKind.LeftmostFirst
        self._finder = ahocorasick_rs.BytesAhoCorasick(starts, matchkind=kind) if self.patterns else None

    def within(self, data: bytes) -> frozenset[bytes]:
        """Give those that stand in the data."""
        if self._finder is None or (len(data) <= _WINDOW and not self._finder.find_matches_as_indexes(data)):
            return _NONE
        found: set[bytes] = set()
        for at in range(0, len(data), _WINDOW):
            # In windows: the finder lists every match, and a file may be made of nothing else.
            window = data if len(data) <= _WINDOW else data[at : at + _WINDOW + self._overlap]
            for near in self._near(window, self._finder.find_matches_as_indexes(window)):
                found.update(pattern for pattern in self.patterns if pattern not in found and pattern in near)
        return frozenset(found) if found else _NONE

    def _near(self, window: bytes, matches: list[tuple[int, int, int]]) -> Iterator[bytes]:
        """Give the parts of a window that are worth a second look.

        The finder gives matches that do not overlap. What it leaves out overlaps one of them, and so stands close by.
        """
        if len(matches) > _MANY:
            yield window
        else:
            for _, start, end in matches:
                yield window[max(0, start - self._overlap) : end + self._overlap]
