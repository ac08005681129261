"""testinfra's modules give the same answers through its own docker backend, through ours, and without a shell."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from typing import Any

import pytest
import testinfra

from stageproof.live import Container
from tests.engine.testinfra.content import MTIME, TEXT

Host = Any
"""testinfra's: its modules have no types."""
OF_THE_SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}
"""Variables that a shell sets; what has no shell has none of them."""


@pytest.mark.parametrize("path", ["/data/text", "/data/link", "/data/absolute", "/data/../data//text"])
def test_a_file_and_links_to_it_exist(host: Host, path: str) -> None:
    file = host.file(path)
    assert (file.exists, file.is_file, file.is_directory, file.is_pipe, file.is_socket) == (
        True,
        True,
        False,
        False,
        False,
    )


@pytest.mark.parametrize("path", ["/data/nothing", "/data/dangling", "/data/loop", "/data/text/x", "/data/text/"])
def test_what_leads_nowhere_does_not_exist(host: Host, path: str) -> None:
    file = host.file(path)
    assert (file.exists, file.is_file, file.is_directory, file.is_executable) == (False, False, False, False)


@pytest.mark.parametrize(
    ("path", "is_link"), [("/data/link", True), ("/data/dangling", True), ("/data/loop", True), ("/data/text", False)]
)
def test_a_link_is_one_wherever_it_leads(host: Host, path: str, is_link: bool) -> None:
    assert host.file(path).is_symlink is is_link


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/data/link", "/data/text"),
        ("/data/absolute", "/data/text"),
        ("/data/text", "/data/text"),
        ("/data/dangling", "/data/nowhere"),
        ("/data/nothing", "/data/nothing"),
    ],
)
def test_links_are_followed_to_their_end(host: Host, path: str, target: str) -> None:
    assert host.file(path).linked_to == target


@pytest.mark.parametrize("path", ["/data/loop", "/nothing/below"])
def test_a_link_without_an_end_is_an_error(host: Host, path: str) -> None:
    with pytest.raises(AssertionError):
        _ = host.file(path).linked_to


def test_a_folder_and_a_pipe_are_what_they_are(host: Host) -> None:
    assert host.file("/data/folder").is_directory
    assert not host.file("/data/folder").is_file
    assert host.file("/data/pipe").is_pipe
    assert not host.file("/data/pipe").is_file


def test_owner_group_and_rights_are_told(host: Host) -> None:
    file = host.file("/data/of-alice")
    assert (file.user, file.uid, file.group, file.gid) == ("alice", 1234, "people", 4321)
    assert file.mode == 0o640
    assert host.file("/data/setuid").mode == 0o4755
    assert host.file("/data/link").mode == 0o644


def test_an_owner_without_a_name_is_unknown(host: Host) -> None:
    file = host.file("/data/of-nobody")
    assert (file.user, file.uid, file.group, file.gid) == ("UNKNOWN", 4242, "UNKNOWN", 4343)


def test_size_and_time_are_told(host: Host) -> None:
    file = host.file("/data/text")
    assert file.size == len(TEXT)
    assert file.mtime == dt.datetime.fromtimestamp(MTIME)  # noqa: DTZ006 -- so testinfra documents it
    assert file.inode > 0


def test_digests_are_those_of_the_content(host: Host) -> None:
    file = host.file("/data/text")
    assert file.md5sum == hashlib.md5(TEXT, usedforsecurity=False).hexdigest()
    assert file.sha256sum == hashlib.sha256(TEXT).hexdigest()


def test_the_content_is_given_as_bytes_and_as_text(host: Host) -> None:
    file = host.file("/data/link")
    assert file.content == TEXT
    assert file.content_string == TEXT.decode()


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("^first", True), ("line$", True), ("li.e", True), ("café", True), ("line+", False), ("-x", False), ("^x", False)],
)
def test_a_file_is_searched_with_the_patterns_of_grep(host: Host, pattern: str, found: bool) -> None:
    assert host.file("/data/text").contains(pattern) is found


def test_a_folder_is_listed_in_order_and_without_hidden_names(host: Host) -> None:
    assert host.file("/data/folder").listdir() == ["a", "b", "two words"]


@pytest.mark.parametrize(
    "name", ["user", "uid", "group", "gid", "mode", "size", "mtime", "inode", "content", "content_string"]
)
def test_what_is_not_there_has_no_properties(host: Host, name: str) -> None:
    with pytest.raises((AssertionError, RuntimeError)):
        getattr(host.file("/data/nothing"), name)


def test_what_is_not_there_cannot_be_searched_or_listed(host: Host) -> None:
    with pytest.raises(AssertionError):
        host.file("/data/nothing").contains("x")
    with pytest.raises((AssertionError, RuntimeError)):
        host.file("/data/nothing").listdir()


@pytest.mark.parametrize(
    ("path", "may"),
    [("/data/setuid", True), ("/data/text", False), ("/data/for-the-owner", False), ("/data/folder", True)],
)
def test_whether_a_file_may_be_executed_is_a_question_of_the_user(host: Host, path: str, may: bool) -> None:
    assert host.file(path).is_executable is may


def test_root_may_execute_what_anybody_may(root_host: Host) -> None:
    assert root_host.file("/data/for-the-owner").is_executable
    assert not root_host.file("/data/text").is_executable


def test_root_sees_into_closed_folders(root_host: Host) -> None:
    assert root_host.file("/data/closed/inside").content == TEXT


def test_a_relative_path_begins_in_the_working_directory(host: Host) -> None:
    assert host.file("qr").is_file
    assert host.file("qr").size == host.file("/app/qr").size


def test_a_user_has_the_fields_of_passwd_and_group(host: Host) -> None:
    user = host.user("alice")
    assert user.exists
    assert (user.uid, user.gid, user.group, user.gids) == (1234, 4321, "people", [4321, 77])
    assert user.groups == ["people", "extra"]
    assert (user.home, user.shell, user.gecos) == ("/home/alice", "/bin/fish", "Alice A,,,")


def test_a_password_is_root_to_see(root_host: Host) -> None:
    user = root_host.user("alice")
    assert user.password == "$6$salt$hash"  # noqa: S105 -- the test's own
    assert (user.password_min_days, user.password_max_days) == (1, 90)
    assert root_host.user("root").expiration_date is None


def test_a_user_that_is_not_there_does_not_exist_and_has_no_number(host: Host) -> None:
    assert not host.user("bob").exists
    with pytest.raises(AssertionError):
        _ = host.user("bob").uid


def test_the_current_user_is_the_containers(host: Host, root_host: Host) -> None:
    assert host.user().name == "nonroot"
    assert root_host.user().name == "root"


def test_all_users_and_groups_are_listed(host: Host) -> None:
    assert host.user().get_all_users == host.user().get_local_users == ["root", "nonroot", "alice"]
    assert host.group("x").get_all_groups == host.group("x").get_local_groups == ["root", "extra", "nonroot", "people"]


def test_a_group_has_a_number_and_members(host: Host) -> None:
    assert host.group("extra").exists
    assert (host.group("extra").gid, host.group("extra").members) == (77, ["bob", "alice"])
    assert host.group("root").members == []
    assert not host.group("wheel").exists


def test_the_app_is_found_among_the_processes(host: Host) -> None:
    process = host.process.get(comm="qr")
    assert (process.pid, process.ppid, process.args) == (1, 0, "/app/qr")
    assert (process.user, process.group, process.uid, process.egid) == ("nonroot", "nonroot", 65532, 65532)
    assert process.state == "S"
    assert process.stat == "Ssl"
    assert process.tty == "?"
    assert (process.ni, process.sid, process.pgid) == (0, 1, 1)
    assert process.nlwp > 1
    assert process.vsz > process.rss > 1000
    assert 0 <= process.pmem < 50
    assert host.process.filter(user="nonroot", comm="qr")
    assert host.process.filter(comm="nothing") == []


def test_both_backends_tell_the_same_of_one_process(targets: dict[str, Container], debian: Host) -> None:
    theirs = _docker(targets).process.get(comm="qr")
    ours = debian.process.get(comm="qr")
    for name in (
        "lstart",
        "args",
        "ruser",
        "suser",
        "rgroup",
        "ruid",
        "rgid",
        "supgid",
        "pri",
        "cls",
        "rtprio",
        "tpgid",
    ):
        assert getattr(ours, name) == getattr(theirs, name), name


def test_asking_for_one_process_among_none_is_an_error(host: Host) -> None:
    with pytest.raises(RuntimeError, match="No process found"):
        host.process.get(comm="nothing")


def test_the_apps_socket_listens_and_no_other(host: Host) -> None:
    assert host.socket("tcp://8080").is_listening
    assert host.socket("tcp://:::8080").is_listening
    assert not host.socket("tcp://8081").is_listening
    assert not host.socket("udp://8080").is_listening
    assert host.socket("tcp://127.0.0.1:8080").is_listening
    assert host.socket("tcp://8080").clients == []
    assert "tcp://:::8080" in host.socket.get_listening_sockets()


def test_an_installed_package_has_a_version(host: Host) -> None:
    assert host.package("base-files").is_installed
    assert host.package("base-files").version.startswith("13.")
    assert host.package("tzdata").version


def test_a_package_that_is_not_installed_has_none(host: Host) -> None:
    assert not host.package("nginx").is_installed
    with pytest.raises(AssertionError):
        _ = host.package("nginx").version


def test_debian_packages_have_no_release(host: Host) -> None:
    with pytest.raises(NotImplementedError):
        _ = host.package("base-files").release


def test_mounts_are_told_with_their_options(host: Host) -> None:
    scratch = host.mount_point("/scratch")
    assert scratch.exists
    assert (scratch.filesystem, scratch.device) == ("tmpfs", "tmpfs")
    assert "size=1024k" in scratch.options
    assert host.mount_point("/proc").filesystem == "proc"
    assert host.mount_point("/").filesystem == "overlay"
    assert not host.mount_point("/data").exists
    assert "/scratch" in [one.path for one in host.mount_point.get_mountpoints()]


def test_the_environment_is_that_of_a_command(host: Host) -> None:
    environment = host.environment()
    assert environment["APP_VERSION"]
    assert environment["HOME"] == "/home/nonroot"


def test_both_backends_give_the_same_environment(targets: dict[str, Container], debian: Host) -> None:
    theirs = _docker(targets).environment()
    assert debian.environment() == {name: value for name, value in theirs.items() if name not in OF_THE_SHELL}


def test_both_backends_name_the_same_system(targets: dict[str, Container], debian: Host, bare: Host) -> None:
    theirs = _docker(targets).system_info
    for name in ("type", "distribution", "release", "codename", "arch"):
        assert getattr(debian.system_info, name) == getattr(theirs, name), name
    assert (bare.system_info.type, bare.system_info.distribution) == ("linux", "debian")


def test_parameters_of_the_kernel_are_told(host: Host) -> None:
    assert host.sysctl("net.ipv4.ip_unprivileged_port_start") == 0
    assert host.sysctl("kernel.ostype") == "Linux"
    assert len(host.sysctl("net.ipv4.tcp_rmem").split("\t")) == 3
    with pytest.raises(AssertionError):
        host.sysctl("net.ipv4.nonsense")


def test_a_program_is_found_by_path_and_by_name(host: Host) -> None:
    assert host.exists("/app/qr")
    assert host.find_command("/app/qr") == "/app/qr"
    assert not host.exists("nothing")
    with pytest.raises(ValueError, match='cannot find "nothing" command'):
        host.find_command("nothing")


def test_a_program_is_run_with_its_exit_code_and_output(host: Host) -> None:
    assert host.run("/app/qr healthcheck").rc == 0
    wrong = host.run("/app/qr %s", "two words; exit 0")
    assert (wrong.rc, wrong.stdout, wrong.failed) == (2, "", True)
    assert wrong.stderr.startswith("usage:")
    assert host.check_output("/app/qr healthcheck") == ""
    assert host.command("/app/qr healthcheck").succeeded


def _docker(targets: dict[str, Container]) -> Host:
    if not shutil.which("docker"):
        pytest.skip("testinfra's own backend runs the docker CLI, which is not here")
    return testinfra.get_host(f"docker://{targets['debian'].name}")
