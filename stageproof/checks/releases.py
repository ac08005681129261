"""Until when operating systems get security updates: dates that their projects publish.

Debian and Ubuntu: the table of the package distro-info-data, column `eol` (full support, not LTS by others).
Alpine: its page of releases. Red Hat's UBI: its life cycle policy, end of maintenance support. Amazon: its FAQ.
"""

from __future__ import annotations

from datetime import date

END_OF_SUPPORT: dict[tuple[str, str], date] = {
    ("debian", "9"): date(2020, 7, 18),
    ("debian", "10"): date(2022, 9, 10),
    ("debian", "11"): date(2024, 8, 14),
    ("debian", "12"): date(2026, 7, 11),
    ("debian", "13"): date(2028, 8, 9),
    ("ubuntu", "20.04"): date(2025, 5, 31),
    ("ubuntu", "22.04"): date(2027, 6, 1),
    ("ubuntu", "24.04"): date(2029, 5, 31),
    ("ubuntu", "24.10"): date(2025, 7, 10),
    ("ubuntu", "25.04"): date(2026, 1, 15),
    ("ubuntu", "25.10"): date(2026, 7, 9),
    ("ubuntu", "26.04"): date(2031, 5, 29),
    ("alpine", "3.18"): date(2025, 5, 9),
    ("alpine", "3.19"): date(2025, 11, 1),
    ("alpine", "3.20"): date(2026, 4, 1),
    ("alpine", "3.21"): date(2026, 11, 1),
    ("alpine", "3.22"): date(2027, 5, 1),
    ("alpine", "3.23"): date(2027, 11, 1),
    ("rhel", "8"): date(2029, 5, 31),
    ("rhel", "9"): date(2032, 5, 31),
    ("rhel", "10"): date(2035, 5, 31),
    ("amzn", "2"): date(2026, 6, 30),
    ("amzn", "2023"): date(2029, 6, 30),
}
"""(ID, VERSION_ID) of /etc/os-release, the version cut to what a release is told by -> its last day."""


def end_of_support(system: str, version: str) -> date | None:
    """Give the last day of a release; `3.22.1` is Alpine's 3.22, `9.4` RHEL's 9. None: not in the table."""
    parts = version.split(".", 3)[:3]
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((END_OF_SUPPORT[system, name] for name in names if (system, name) in END_OF_SUPPORT), None)
