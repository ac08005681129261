from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stageproof.engine import rootfs
from stageproof.engine.home import Home
from stageproof.errors import DiskFullError, EngineError, NoAptError, NoPackageIndexError, NotRootError

Program = Callable[[Path, str], Path]

MAKES_A_ROOT = """
for word in "$@"; do case "$word" in *root.unfinished) target=$word ;; esac; done
mkdir -p "$target/var/lib/dpkg"
"""
FAILS = 'echo "E: Failed to fetch the index: Could not connect" >&2; exit 100'
EXPIRED = 'echo "E: Release file for x is expired (invalid since 16d). Updates will not be applied." >&2; exit 100'


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "cache/engine")


@pytest.fixture(autouse=True)
def a_debian_host(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only these programs: each says yes."""
    for name in ("unshare", "nsenter", "chroot", "apt-get", "apt-config"):
        program(tmp_path / "bin" / name, "exit 0")
    program(tmp_path / "bin/dpkg-query", 'echo "docker-buildx 0.29.1+ds1-2"; echo "docker.io 28.5.2+dfsg4-1+b1"')
    for name in ("mkdir", "sh"):
        (tmp_path / "bin" / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(rootfs, "KEYRING", tmp_path / "bin/sh")
    monkeypatch.setattr(rootfs, "BYTES_NEEDED", 1)
    monkeypatch.delenv("STAGEPROOF_DEBIAN_MIRROR", raising=False)


def test_forky_is_taken_first(tmp_path: Path, program: Program, home: Home) -> None:
    program(tmp_path / "bin/mmdebstrap", MAKES_A_ROOT)
    said: list[str] = []

    made = rootfs.make(home, said.append)

    assert (made.suite, made.engine, made.buildx) == ("forky", "28.5.2", "0.29.1")
    assert rootfs.made(home) == made
    assert not (home.folder / "root.unfinished").exists()


def test_trixie_is_taken_where_forky_cannot_be_had_and_the_log_says_why(
    tmp_path: Path, program: Program, home: Home
) -> None:
    program(tmp_path / "bin/mmdebstrap", f'case "$*" in *forky*) {FAILS} ;; esac; {MAKES_A_ROOT}')
    said: list[str] = []

    assert rootfs.make(home, said.append).suite == "trixie"

    reason = "forky cannot be had: E: Failed to fetch the index: Could not connect"
    assert reason in said
    assert reason in home.make_log.read_text()


def test_an_index_past_its_date_is_taken_at_the_second_try_and_the_log_says_so(
    tmp_path: Path, program: Program, home: Home
) -> None:
    program(tmp_path / "bin/mmdebstrap", f'case "$*" in *Valid-Until*) ;; *) {EXPIRED} ;; esac; {MAKES_A_ROOT}')

    assert rootfs.make(home, lambda _: None).suite == "forky"

    assert "past its date, taken all the same; signatures are still checked" in home.make_log.read_text()


def test_what_is_made_is_not_made_again(tmp_path: Path, program: Program, home: Home) -> None:
    program(tmp_path / "bin/mmdebstrap", MAKES_A_ROOT)
    rootfs.make(home, lambda _: None)
    program(tmp_path / "bin/mmdebstrap", FAILS)

    assert rootfs.make(home, lambda _: None).suite == "forky"


def test_a_root_of_other_packages_is_made_again(
    tmp_path: Path, program: Program, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin/mmdebstrap", MAKES_A_ROOT)
    rootfs.make(home, lambda _: None)
    monkeypatch.setattr(rootfs, "PACKAGES", (*rootfs.PACKAGES, "one-more"))

    assert rootfs.made(home) is None
    assert rootfs.make(home, lambda _: None).packages[-1] == "one-more"


def test_without_any_index_the_error_has_the_tools_last_lines(tmp_path: Path, program: Program, home: Home) -> None:
    program(tmp_path / "bin/mmdebstrap", FAILS)

    with pytest.raises(NoPackageIndexError) as caught:
        rootfs.make(home, lambda _: None)

    assert "Could not connect" in caught.value.seen
    assert caught.value.exit_code == 13
    assert rootfs.made(home) is None
    assert not (home.folder / "root.unfinished").exists()


def test_a_disk_that_fills_up_is_told_apart(tmp_path: Path, program: Program, home: Home) -> None:
    program(tmp_path / "bin/mmdebstrap", 'echo "dpkg: error: No space left on device" >&2; exit 25')

    with pytest.raises(DiskFullError) as caught:
        rootfs.make(home, lambda _: None)

    assert caught.value.exit_code == 17


def test_another_failure_is_an_engine_error_with_its_log(tmp_path: Path, program: Program, home: Home) -> None:
    program(tmp_path / "bin/mmdebstrap", 'echo "E: something else" >&2; exit 25')

    with pytest.raises(EngineError) as caught:
        rootfs.make(home, lambda _: None)

    assert caught.value.exit_code == 10
    assert str(home.make_log) in caught.value.seen


def test_too_little_space_is_said_before_anything_is_made(home: Home) -> None:
    with pytest.raises(DiskFullError) as caught:
        rootfs.require_space(home.folder, 10**18)

    assert "GB free" in caught.value.seen
    assert not home.folder.exists()


def test_another_user_than_root_is_told_the_own_uid(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(NotRootError, match="cannot be started") as caught:
        rootfs.require(home)

    assert "uid 1000" in caught.value.seen


def test_a_root_that_may_not_mount_is_told_so(tmp_path: Path, program: Program, home: Home) -> None:
    program(tmp_path / "bin/unshare", 'echo "unshare: unshare failed: Operation not permitted" >&2; exit 1')

    with pytest.raises(NotRootError) as caught:
        rootfs.require(home)

    assert "Operation not permitted" in caught.value.seen


def test_without_apt_the_error_names_the_distribution(tmp_path: Path, home: Home) -> None:
    (tmp_path / "bin/apt-get").unlink()

    with pytest.raises(NoAptError) as caught:
        rootfs.require(home)

    assert rootfs.distribution() in caught.value.seen


def test_missing_tools_are_installed_with_apt(tmp_path: Path, program: Program, home: Home) -> None:
    body = f"#!/bin/sh{MAKES_A_ROOT}"
    made = tmp_path / "mmdebstrap"
    made.write_text(body)
    made.chmod(0o755)
    (tmp_path / "bin/cp").symlink_to("/bin/cp")
    program(tmp_path / "bin/apt-get", f'case "$1" in install) cp {made} {tmp_path}/bin/mmdebstrap ;; esac')
    said: list[str] = []

    rootfs.make(home, said.append)

    assert said[0] == "installing mmdebstrap with apt"


def test_tools_that_no_index_has_are_an_error(tmp_path: Path, program: Program, home: Home) -> None:
    program(tmp_path / "bin/apt-get", 'echo "E: Unable to locate package mmdebstrap" >&2; exit 100')

    with pytest.raises(NoPackageIndexError, match="apt could not install mmdebstrap"):
        rootfs.make(home, lambda _: None)


def test_the_hosts_own_mirror_is_used(tmp_path: Path, program: Program) -> None:
    lines = "Other main stable http://other.example/\nDebian main bookworm-updates http://m.example/d/\n"
    program(tmp_path / "bin/apt-get", f"cat <<'END'\n{lines}Debian main bookworm http://m.example/d/\nEND")
    (tmp_path / "bin/cat").symlink_to("/bin/cat")

    assert rootfs.mirror({}) == "http://m.example/d/"
    assert rootfs.mirror({"STAGEPROOF_DEBIAN_MIRROR": "http://asked.example"}) == "http://asked.example"


def test_a_host_without_a_debian_mirror_leaves_the_choice_to_mmdebstrap(home: Home) -> None:
    command = rootfs.bootstrap_command("forky", home.folder / "root.unfinished", rootfs.mirror({}), ())

    assert command[-2:] == ["forky", str(home.folder / "root.unfinished")]


def test_the_proxies_of_apt_are_handed_on(tmp_path: Path, program: Program, home: Home) -> None:
    program(tmp_path / "bin/apt-config", """echo 'Acquire::http::Proxy "http://proxy.example:3128";'""")

    command = rootfs.bootstrap_command("forky", home.folder, "", ())

    assert '--aptopt=Acquire::http::Proxy "http://proxy.example:3128"' in command
