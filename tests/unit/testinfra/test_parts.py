"""What testinfra's questions are answered from: accounts, rows of ps, package records, command lines."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest

from stageproof.errors import QuestionError
from stageproof.testinfra import accounts, command, packages, processes
from stageproof.testinfra.accounts import Identity, User
from stageproof.testinfra.inside import Inside
from stageproof.testinfra.processes import KEYWORDS, Machine, Row

PASSWD = b"root:x:0:0:root:/root:/bin/sh\nnot a line\n+nis\napp:x:10:20:An app:/app:/bin/false\n7:x:99:99::/:\n"
GROUP = b"root:x:0:\nusers:x:20:\naudio:x:30:app,other\nbad:x:y:\n"
ACCOUNTS = accounts.read(PASSWD, GROUP)

MACHINE = Machine(memory=1_000_000_000, boot=1_700_000_000, uptime=100_000.0, ticks=100, page=4096)
STAT = (
    "42 (a (odd) name) S 1 40 41 34817 42 4194560 11 12 13 14 6000 3000 0 0 20 5 3 0 1000000 209715200 25600 "
    "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0"
)
STATUS = "Name:\ta\nUid:\t10\t0\t11\t12\nGid:\t20\t30\t0\t77\nGroups:\t20 30 \nVmLck:\t       4 kB\n"


def row(**changed: str) -> Row:
    given = {"stat": STAT, "status_text": STATUS, "cmdline": "a\0b c\0", **changed}
    return Row(**given, machine=MACHINE, accounts=ACCOUNTS)


def asked(name: str, **changed: str) -> str:
    return str(KEYWORDS[name](row(**changed)))


def test_lines_that_are_none_name_nobody() -> None:
    assert [one.name for one in ACCOUNTS.users] == ["root", "app", "7"]
    assert [one.name for one in ACCOUNTS.groups] == ["root", "users", "audio"]
    assert accounts.read(None, None).users == []


def test_a_user_is_found_by_name_before_number() -> None:
    assert ACCOUNTS.user("app") == ACCOUNTS.user("10") == User("app", 10, 20, "An app", "/app", "/bin/false")
    assert ACCOUNTS.user("7") == ACCOUNTS.user("99")
    assert ACCOUNTS.user("nobody") is None
    assert ACCOUNTS.user("") is None


def test_a_users_groups_begin_with_the_own_one() -> None:
    user = ACCOUNTS.user("app")
    assert user
    assert ACCOUNTS.gids(user) == [20, 30]


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("", (), Identity(0, 0, (0,), "/root")),
        ("app", (), Identity(10, 20, (20, 30), "/app")),
        ("10", ("44",), Identity(10, 20, (20, 30, 44), "/app")),
        ("app:audio", (), Identity(10, 30, (30,), "/app")),
        ("1234567:0", (), Identity(1234567, 0, (0,), "/")),
        ("1234567:55", ("users",), Identity(1234567, 55, (55, 20), "/")),
        ("nobody", (), None),
        ("app:nogroup", (), None),
    ],
)
def test_who_a_command_runs_as_is_decided_as_the_engine_does(
    text: str, more: tuple[str, ...], expected: Identity | None
) -> None:
    assert accounts.identity(ACCOUNTS, text, more) == expected


def test_empty_fields_of_shadow_are_none() -> None:
    (one,) = accounts.shadows(b"app:!:::::::\n")
    assert (one.password, one.min_days, one.max_days, one.expires) == ("!", None, None, None)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("pid", "42"),
        ("ppid", "1"),
        ("pgid", "40"),
        ("sid", "41"),
        ("tpgid", "42"),
        ("comm", "a (odd) name"),
        ("args", "a b c"),
        ("user", "root"),
        ("ruser", "app"),
        ("suser", "11"),
        ("fuser", "12"),
        ("group", "audio"),
        ("rgroup", "users"),
        ("fgroup", "77"),
        ("uid", "0"),
        ("ruid", "10"),
        ("egid", "30"),
        ("supgid", "20,30"),
        ("pcpu", "0.1"),
        ("pmem", "10.5"),
        ("rss", "102400"),
        ("vsz", "204800"),
        ("stat", "SNLl"),
        ("tty", "pts/1"),
        ("ni", "5"),
        ("pri", "19"),
        ("nlwp", "3"),
        ("psr", "1"),
        ("minflt", "11"),
        ("majflt", "13"),
        ("time", "00:01:30"),
        ("times", "90"),
        ("etime", "1-01:00:00"),
        ("etimes", "90000"),
        ("lstart", "Wed Nov 15 01:00:00 2023"),
        ("cls", "TS"),
        ("rtprio", "-"),
    ],
)
def test_a_keyword_of_ps_has_the_value_that_ps_gives(keyword: str, value: str) -> None:
    assert asked(keyword) == value


def test_a_process_without_a_command_line_has_its_name_in_brackets() -> None:
    assert asked("args", cmdline="") == "[a (odd) name]"
    dead = STAT.replace(") S ", ") Z ")
    assert (asked("comm", stat=dead), asked("args", stat=dead, cmdline="")) == (
        "a (odd) name <defunct>",
        "[a (odd) name] <defunct>",
    )


def test_the_marks_of_a_state_are_those_of_ps() -> None:
    leader = STAT.replace(" 1 40 41 34817 42 ", " 1 42 42 0 42 ").replace(" 20 5 3 ", " 20 -5 1 ")
    assert asked("stat", stat=leader, status_text=STATUS.replace("4 kB", "0 kB")) == "S<s+"
    assert asked("tty", stat=leader) == "?"


def test_short_times_leave_out_what_is_nothing() -> None:
    assert processes._clock(61, hours=False) == "01:01"
    assert processes._clock(3661, hours=False) == "01:01:01"
    assert processes._clock(61, hours=True) == "00:01:01"


def test_a_process_that_has_just_begun_has_used_no_share() -> None:
    begun = STAT.replace(" 1000000 ", " 10000000 ")
    assert asked("pcpu", stat=begun) == "0.0"
    assert asked("lstart", stat=begun) == time.strftime("%a %b %d %H:%M:%S %Y", time.gmtime(1_700_100_000))


def test_records_of_dpkg_count_only_if_installed() -> None:
    text = (
        "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2-3\nDescription: x\n y: z\n\n"
        "Package: b\nStatus: deinstall ok config-files\nVersion: 1\n\n"
        "Package: c\nStatus: hold ok installed\nVersion: 2\n\n\n"
        "Package: d\nVersion: 4\n"
    )
    found = [packages._debian(record) for record in packages._records(text)]
    assert [one and (one.name, one.version, one.release) for one in found] == [
        ("a", "1:2-3", None),
        None,
        ("c", "2", None),
        ("d", "4", None),
    ]


class _ShellLess:
    """Stands for a container with one program in its PATH."""

    class container:  # noqa: N801 -- an attribute
        name = "target"

    def find_program(self, name: str) -> str | None:
        return "/app/qr" if name in {"qr", "/app/qr", "two words"} else None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("qr", ["qr"]),
        ("/app/qr healthcheck", ["/app/qr", "healthcheck"]),
        ("qr 'a; b' 'c'\"'\"'d'".replace('"\'"', ""), ["qr", "a; b", "cd"]),
        ("'two words' --x=1", ["two words", "--x=1"]),
        ("qr 'line\nbreak'", ["qr", "line\nbreak"]),
    ],
)
def test_a_line_that_needs_no_shell_is_split_as_one_would(line: str, words: list[str]) -> None:
    assert command.words(cast("Inside", _ShellLess()), line) == words


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ls",
        "qr | qr",
        "qr; qr",
        "qr > x",
        "qr $A",
        "qr `x`",
        "A=1 qr",
        "qr *",
        "qr a?",
        "! qr",
        'qr "a"',
        "~/qr",
        "qr #x",
    ],
)
def test_a_line_that_needs_one_is_refused(line: str) -> None:
    with pytest.raises(QuestionError, match="cannot be run in target"):
        command.words(cast("Inside", _ShellLess()), line)


def test_a_keyword_that_is_none_is_refused() -> None:
    with pytest.raises(QuestionError, match="'nonsense' cannot be asked"):
        processes._value(row(), "nonsense")


def test_numbers_are_given_as_numbers() -> None:
    values: list[Any] = [processes._value(row(), name) for name in ("pid", "pcpu", "comm")]
    assert values == [42, 0.1, "a (odd) name"]
