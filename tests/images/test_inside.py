"""What testinfra sees in a running container, with or without a shell in it: the plugin's own fixtures."""

from __future__ import annotations

from typing import Any

import pytest

from stageproof.live import Container

pytestmark = pytest.mark.image()
"""Our host, not testinfra's; which images, the fixture image_source of this folder says."""


def test_the_app_is_the_first_process_and_runs_as_nobody_in_particular(host: Any, container: Container) -> None:
    first = host.process.get(pid=1)
    user, group = container.inspect()["Config"]["User"].split(":")
    assert (first.uid, first.gid) == (int(user), int(group))
    assert host.file(f"/proc/{first.pid}/root").exists


def test_it_listens_for_everybody(host: Any) -> None:
    assert host.socket("tcp://8080").is_listening
    assert not host.socket("tcp://8081").is_listening


def test_the_app_belongs_to_root_and_nobody_else_may_write_it(host: Any) -> None:
    folder = host.file("/app")
    assert folder.is_directory
    assert (folder.uid, folder.gid) == (0, 0)
    assert not folder.mode & 0o022
