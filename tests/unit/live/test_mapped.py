from __future__ import annotations

import pytest

from stageproof.live.mapped import outside


@pytest.mark.parametrize(
    ("uid_map", "user", "expected"),
    [
        ("         0          0 4294967295\n", 0, 0),
        ("         0     231072      65536\n", 0, 231072),
        ("         0     231072      65536\n", 54321, 285393),
        ("         0     231072      65536\n", 65536, None),
        ("         0       1000          1\n         1     100000      65536\n", 0, 1000),
        ("         0       1000          1\n         1     100000      65536\n", 2, 100001),
        ("         1     100000      65536\n", 0, None),
        ("", 0, None),
    ],
)
def test_a_user_is_read_from_the_line_that_maps_it(uid_map: str, user: int, expected: int | None) -> None:
    assert outside(uid_map, user) == expected
