"""Package lists are fetched once a day, by one of many, in bounded time, and the host is left as it was."""

from __future__ import annotations

import functools
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stageproof import updates
from stageproof.updates import Unavailable, lists
from tests.unit.updates.conftest import Archive


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and notes what was asked for."""

    asked: list[str]

    def __init__(self, asked: list[str], *arguments: object, **more: object) -> None:
        self.asked = asked
        super().__init__(*arguments, **more)  # type: ignore[arg-type]

    def send_head(self) -> Any:
        self.asked.append(self.path)
        return super().send_head()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder; give the address, and the paths that are asked for."""
    asked: list[str] = []
    handler = functools.partial(Handler, asked, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def reason(question: Callable[[], object]) -> str:
    with pytest.raises(Unavailable) as told:
        question()
    return f"{told.value.reason}\n{told.value.seen}"


def trixie() -> updates.Lists:
    return updates.of_today("trixie", "amd64")


def test_many_who_ask_at_once_fetch_the_lists_once_a_day(archive: Archive) -> None:
    archive.publish(trixie_security={"openssl": "3-2"})
    with served(archive.folder) as (address, asked), ThreadPoolExecutor(4) as pool:
        archive.configure(address)
        found = list(pool.map(lambda _: trixie(), range(8)))
    assert len(set(found)) == 1
    assert sorted(path for path in asked if path.endswith("InRelease")) == [
        "/debian-security/dists/trixie-security/InRelease",
        "/debian/dists/trixie-updates/InRelease",
        "/debian/dists/trixie/InRelease",
    ]
    # The server is gone, and today's lists are there.
    assert updates.ask(trixie(), {"openssl": ("3-1", "amd64")})["openssl"].security == "3-2"


def test_lists_of_a_run_that_was_killed_are_fetched_anew_and_older_days_are_removed(archive: Archive) -> None:
    archive.publish()
    folder = trixie().folder
    yesterday, older = (folder.parent / (datetime.now(UTC).date() - timedelta(days)).isoformat() for days in (1, 5))
    for each in (yesterday, older):
        each.mkdir()
    (folder / "fetched").unlink()
    (folder / "half").touch()
    assert trixie().folder == folder
    assert not (folder / "half").exists()
    assert yesterday.exists()
    assert not older.exists()


def test_nobody_there_is_told_in_a_moment_and_not_asked_again_at_once(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
    archive.configure(address)
    assert "Could not connect" in reason(trixie)
    monkeypatch.setattr(lists, "_fetch", lambda *_: pytest.fail("it was asked again"))
    assert "Could not connect" in reason(trixie)


def test_a_failure_of_some_time_ago_is_asked_again(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.configure(f"copy:{archive.folder}/nothing")
    assert "cannot be had" in reason(trixie)
    monkeypatch.setattr(lists, "REMEMBERED_SECONDS", 0.0)
    (archive.folder / "nothing").symlink_to(archive.folder)
    assert trixie().codename == "trixie"


def test_a_server_that_says_nothing_is_not_waited_for(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "SILENT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        archive.configure(f"http://127.0.0.1:{server.getsockname()[1]}")
        begun = time.monotonic()
        assert "nothing came within 0.3 s" in reason(trixie)
        assert time.monotonic() - begun < 2
        # What was started is gone: its connection is closed.
        connection, _ = server.accept()
        with connection:
            connection.settimeout(5)
            while connection.recv(4096):
                pass


def test_a_fetch_that_does_not_end_is_ended(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "FETCH_SECONDS", 0.0)
    monkeypatch.setattr(lists, "_has_begun", lambda _: True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        archive.configure(f"http://127.0.0.1:{server.getsockname()[1]}")
        assert "not done after 0 s" in reason(trixie)


def test_the_host_s_hooks_are_not_run_and_a_password_is_not_told(archive: Archive) -> None:
    hook = archive.folder / "hook"
    archive.configure(more=f'APT::Update::Post-Invoke {{ "touch {hook}"; }};\nAcquire::http::Proxy "DIRECT";')
    assert trixie().date.isoformat() == "2026-11-20"
    assert not hook.exists()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    archive.configure(f"http://somebody:hunter2@127.0.0.1:{port}")
    told = reason(trixie)
    assert "Could not connect" in told
    assert "hunter2" not in told
    kept = list(archive.folder.glob("cache/stageproof/updates/*/*/sources.d/*"))
    assert len(kept) == 2
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_the_host_s_proxy_is_used(archive: Archive) -> None:
    archive.publish()
    with served(archive.folder) as (address, asked):
        archive.configure("http://archive.invalid", more=f'Acquire::http::Proxy "{address}";')
        told = reason(trixie)
    assert "http://archive.invalid/debian/dists/trixie/InRelease" in asked, told


def test_a_list_file_s_option_names_the_keys_too(archive: Archive) -> None:
    archive.publish()
    (archive.host / "sources.d/debian.sources").unlink()
    line = f"deb [arch=amd64 signed-by={archive.key.public}] file:{archive.folder}"
    (archive.host / "sources.d/debian.list").write_text(
        f"# the host's own\n{line}/debian stable main\n{line}/debian-security stable-security main\n"
    )
    assert trixie().date.isoformat() == "2026-11-20"


def test_a_folder_that_cannot_be_written_is_told(archive: Archive) -> None:
    archive.publish()
    (archive.folder / "cache").write_text("a file")
    assert "the folder of package lists cannot be used" in reason(trixie)
