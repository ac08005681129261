from __future__ import annotations

import threading
from pathlib import Path

from stageproof.engine.home import Home, default_home, locked, tail, wait_until
from stageproof.engine.processes import mounts_below, supervisor


def test_the_files_lie_in_the_cache_folder_of_the_user() -> None:
    assert default_home({"XDG_CACHE_HOME": "/c", "HOME": "/h"}).folder == Path("/c/stageproof/engine")
    assert default_home({"HOME": "/h"}).folder == Path("/h/.cache/stageproof/engine")


def test_a_relative_cache_folder_is_ignored_as_the_xdg_rules_say() -> None:
    assert default_home({"XDG_CACHE_HOME": "c", "HOME": "/h"}).folder == Path("/h/.cache/stageproof/engine")


def test_two_folders_have_two_bridges_with_names_that_the_kernel_takes() -> None:
    one, two = Home(Path("/a")), Home(Path("/b"))

    assert one.bridge != two.bridge
    assert len(one.bridge) <= 15


def test_only_one_holds_the_lock_and_the_other_is_told_once(tmp_path: Path) -> None:
    home = Home(tmp_path / "engine")
    waiting, entered = threading.Event(), threading.Event()

    def second() -> None:
        with locked(home, waiting.set):
            entered.set()

    with locked(home, lambda: None):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        assert not entered.is_set()
    thread.join(10)
    assert entered.is_set()


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_anew(tmp_path: Path) -> None:
    home = Home(tmp_path / "engine")
    waiting, entered = threading.Event(), threading.Event()

    def second() -> None:
        with locked(home, waiting.set):
            entered.set()
            assert (tmp_path / "engine.lock").exists()

    with locked(home, lambda: None):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        (tmp_path / "engine.lock").unlink()
    thread.join(10)
    assert entered.is_set()


def test_a_wait_ends_at_its_deadline() -> None:
    assert wait_until(lambda: True, 0)
    assert not wait_until(lambda: False, 0.05)


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("".join(f"line {number}\n" for number in range(5000)))

    assert tail(tmp_path / "log", 2) == "line 4998\nline 4999"
    assert tail(tmp_path / "none") == ""


def test_a_number_that_now_belongs_to_another_process_is_no_supervisor(tmp_path: Path) -> None:
    home = Home(tmp_path / "engine")
    home.run.mkdir(parents=True)
    (home.run / "supervisor.pid").write_text("1")

    assert supervisor(home) is None


def test_mounts_below_a_folder_come_deepest_first() -> None:
    found = mounts_below(Path("/"))

    assert found[-1] == Path("/")
    assert [len(one.parts) for one in found] == sorted((len(one.parts) for one in found), reverse=True)
