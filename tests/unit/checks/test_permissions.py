"""Rights: programs that gain them, files that everybody may change, accounts, homes, shared folders, ports, volumes."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from stageproof.checks import load
from stageproof.checks.subject import Subject
from stageproof.image import Image, kept
from stageproof.model import Finding, Verdict

if TYPE_CHECKING:
    from tests.unit.conftest import Images

PASSWD = b"root:x:0:0:root:/root:/x\nnonroot:x:65532:65532:n:/home/nonroot:/x\n"


def decide(claim: str, image: Image, subject: dict[str, Any] | None = None, **parameters: object) -> Finding:
    return load(claim).check(Subject(image, **(subject or {})), **parameters)


def verdict(claim: str, image: Image, subject: dict[str, Any] | None = None, **parameters: object) -> Verdict:
    return decide(claim, image, subject, **parameters).verdict


def paths(finding: Finding) -> list[str]:
    return [evidence.path for evidence in finding.evidence]


# --- no-setuid


@pytest.mark.parametrize(("mode", "how"), [(0o4755, "setuid"), (0o2755, "setgid"), (0o6755, "setuid and setgid")])
def test_a_program_with_a_special_bit_is_named(images: Images, mode: int, how: str) -> None:
    finding = decide("no-setuid", images.app(images.file("usr/bin/su", images.elf(), mode)))
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence[0].text.startswith(f"{how} (mode {mode:04o}")


def test_a_setgid_folder_and_a_special_bit_that_a_later_layer_takes_away_give_no_rights(images: Images) -> None:
    run = images.file("run", images.elf(), 0o755)
    image = images.image(
        [run, images.folder("var/mail", 0o2775), images.file("su", b"x", 0o4755)],
        [images.file("su", b"x", 0o755)],
        Entrypoint=["/run"],
    )
    assert verdict("no-setuid", image) is Verdict.PASS


def test_a_file_capability_is_found(images: Images) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("usr/bin/ping")
        info.mode, info.pax_headers = 0o755, {"SCHILY.xattr.security.capability": "\x01\x00\x00\x02"}
        archive.addfile(info)
    base = images.tar([images.file("run", images.elf(), 0o755)])
    finding = decide("no-setuid", images.read(images.archive([base, out.getvalue()], {"Entrypoint": ["/run"]})))
    assert finding.evidence[0].text.startswith("a file capability")
    assert paths(finding) == ["/usr/bin/ping"]


def test_the_base_s_own_setuid_programs_can_be_left_to_the_base_and_a_copy_of_one_cannot(images: Images) -> None:
    su = images.file("usr/bin/su", b"su", 0o4755)
    base = images.image([su])
    below, run = [su], images.file("run", images.elf(), 0o755)
    image = images.image(below, [run], Entrypoint=["/run"])
    subject = {"bases": {"debian:13": base}}
    assert verdict("no-setuid", image, subject) is Verdict.FAIL
    told = decide("no-setuid", image, subject, base_may=True)
    assert (told.verdict, paths(told)) == (Verdict.PASS, ["/usr/bin/su"])
    assert told.evidence[0].origin == "base debian:13"
    mine = images.image(below, [run, images.hard_link("bin/su", "usr/bin/su"), images.file("x", b"", 0o4755)])
    assert paths(decide("no-setuid", mine, subject, base_may=True)) == ["/bin/su", "/x"]


def test_without_a_known_base_every_setuid_program_counts(images: Images) -> None:
    assert verdict("no-setuid", images.app(images.file("su", b"", 0o4755)), base_may=True) is Verdict.FAIL


@pytest.mark.parametrize("claim", ["no-setuid", "no-world-writable", "no-build-leftovers", "no-other-interpreter"])
def test_without_the_image_s_own_program_nothing_is_proved(images: Images, claim: str) -> None:
    assert verdict(claim, images.image([images.file("a")], Entrypoint=["/gone"], User="1:1")) is Verdict.UNKNOWN


# --- no-world-writable


def test_files_and_folders_for_everybody_are_named_but_sticky_folders_and_links(images: Images) -> None:
    good = images.app(images.folder("tmp", 0o1777), images.link("l", "/tmp"), images.file("dev/null", b"", 0o666))
    assert verdict("no-world-writable", good) is Verdict.PASS
    bad = images.app(images.folder("srv", 0o777), images.file("a", b"x", 0o666), images.file("b", b"x", 0o1666))
    assert paths(decide("no-world-writable", bad)) == ["/a", "/b", "/srv"]


# --- unique-ids


def test_accounts_with_numbers_of_their_own_and_locked_passwords_are_good(images: Images) -> None:
    files = [images.file("etc/passwd", PASSWD), images.file("etc/group", b"root:x:0:\nnonroot:x:65532:\n")]
    shadow = images.file("etc/shadow", b"root:*:1::::::\nnonroot:!:1::::::\n", 0o640)
    assert verdict("unique-ids", images.app(*files, shadow)) is Verdict.PASS


@pytest.mark.parametrize(
    ("path", "content", "told"),
    [
        ("etc/passwd", PASSWD + b"toor:x:0:0::/:\n", "'root' and 'toor' have the same number 0"),
        ("etc/passwd", PASSWD + b"toor:x:00:0::/:\n", "'root' and 'toor' have the same number 0"),
        ("etc/passwd", PASSWD + b"root:x:7:0::/:\n", "the name 'root' stands there twice"),
        ("etc/passwd", b"root::0:0::/:\n", "'root' has an empty password"),
        ("etc/passwd", b"root:$6$abc:0:0::/:\n", "'root' has a password (not shown)"),
        ("etc/group", b"a:x:5:\nb:x:5:\n", "'a' and 'b' have the same number 5"),
        ("etc/shadow", b"root::1::::::\n", "'root' has an empty password"),
        ("etc/shadow", b"root:$y$j9T$secret:1::::::\n", "'root' has a password (not shown)"),
    ],
)
def test_shared_numbers_and_passwords_are_named(images: Images, path: str, content: bytes, told: str) -> None:
    finding = decide("unique-ids", images.app(images.file(path, content)))
    assert finding.verdict is Verdict.FAIL
    assert told in [evidence.text for evidence in finding.evidence]
    assert "secret" not in str(finding.evidence)


def test_an_image_without_accounts_is_not_judged_and_unread_accounts_stay_open(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verdict("unique-ids", images.app()) is Verdict.NOT_APPLICABLE
    monkeypatch.setattr(kept, "LARGEST", 10)
    assert verdict("unique-ids", images.app(images.file("etc/passwd", PASSWD))) is Verdict.UNKNOWN


# --- user-has-home


def test_a_user_with_a_line_and_a_home_is_known(images: Images) -> None:
    home = images.folder("home/nonroot", 0o700, 65532, 65532)
    image = images.app(images.file("etc/passwd", PASSWD), home)
    assert verdict("user-has-home", image) is Verdict.PASS


@pytest.mark.parametrize(
    ("mode", "home", "user", "told"),
    [
        (0o644, "home/other", "65532", "the home of nonroot is not there"),
        (0o600, "home/nonroot", "65532", "not readable for every user (mode 0600)"),
        (0o644, "home/nonroot", "4242", "USER is 4242; no line of /etc/passwd has its number"),
    ],
)
def test_what_a_user_lacks_is_told(images: Images, mode: int, home: str, user: str, told: str) -> None:
    passwd = images.file("etc/passwd", PASSWD, mode)
    finding = decide("user-has-home", images.app(passwd, images.folder(home, 0o700, 65532), User=user))
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence[0].text == told


def test_a_home_that_the_user_may_not_enter_is_told(images: Images) -> None:
    image = images.app(images.file("etc/passwd", PASSWD), images.folder("home/nonroot", 0o700))
    assert "no folder that it may enter" in decide("user-has-home", image).evidence[0].text


def test_without_passwd_no_user_is_known_and_unread_accounts_stay_open(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "there is no /etc/passwd" in decide("user-has-home", images.app()).evidence[0].text
    monkeypatch.setattr(kept, "LARGEST", 10)
    assert verdict("user-has-home", images.app(images.file("etc/passwd", PASSWD))) is Verdict.UNKNOWN


# --- shared-paths-writable-by-group


def test_declared_paths_belong_to_group_0_with_the_user_s_rights(images: Images) -> None:
    good = images.app(images.folder("data", 0o775, 65532, 0), images.file("data/a", b"x", 0o664, 65532, 0))
    assert verdict("shared-paths-writable-by-group", good, paths=["/data"]) is Verdict.PASS
    assert verdict("shared-paths-writable-by-group", good) is Verdict.NOT_APPLICABLE
    sticky = images.app(images.folder("tmp", 0o1777, 0, 7))
    assert verdict("shared-paths-writable-by-group", sticky, paths=["/tmp"]) is Verdict.PASS


def test_a_wrong_group_other_rights_and_a_missing_path_are_named(images: Images) -> None:
    data = [images.folder("data", 0o775, 0, 0), images.file("data/g", gid=7), images.file("data/m", mode=0o644)]
    image = images.app(*data, Volumes={"/gone": {}})
    finding = decide("shared-paths-writable-by-group", image, paths=["/data"])
    assert {evidence.path: evidence.text for evidence in finding.evidence} == {
        "/data/g": "its group is 7, not 0",
        "/data/m": "its group has other rights than its user (mode 0644)",
        "/gone": "declared writable, and not there",
    }


# --- configuration: stop-signal, no-risky-volumes, no-privileged-ports


@pytest.mark.parametrize("signal", ["", "SIGTERM", "TERM", "15", "sigterm"])
def test_sigterm_under_any_name_is_a_good_signal(images: Images, signal: str) -> None:
    assert verdict("stop-signal", images.app(StopSignal=signal)) is Verdict.PASS


@pytest.mark.parametrize("signal", ["SIGKILL", "9", "SIGQUIT", "SIGRTMIN+3", "nonsense"])
def test_other_signals_fail_unless_the_contract_names_them(images: Images, signal: str) -> None:
    image = images.app(StopSignal=signal)
    assert verdict("stop-signal", image) is Verdict.FAIL
    allowed = Verdict.FAIL if signal in {"SIGKILL", "9"} else Verdict.PASS
    assert verdict("stop-signal", image, allowed=[signal]) is allowed


def test_volumes_are_declared_in_the_contract_or_fail_and_system_folders_always_fail(images: Images) -> None:
    assert verdict("no-risky-volumes", images.app()) is Verdict.PASS
    data = images.app(Volumes={"/data/": {}})
    assert verdict("no-risky-volumes", data) is Verdict.FAIL
    assert verdict("no-risky-volumes", data, allowed=["/data"]) is Verdict.PASS
    for path in ("/proc", "/sys/fs", "/dev", "/", "/data/../etc"):
        assert verdict("no-risky-volumes", images.app(Volumes={path: {}}), allowed=[path]) is Verdict.FAIL


def test_low_ports_are_named(images: Images) -> None:
    assert verdict("no-privileged-ports", images.app(ExposedPorts={"8080/tcp": {}, "1024/udp": {}})) is Verdict.PASS
    assert verdict("no-privileged-ports", images.app()) is Verdict.PASS
    finding = decide("no-privileged-ports", images.app(ExposedPorts={"80/tcp": {}, "8443/tcp": {}, "x": {}}))
    assert [evidence.text for evidence in finding.evidence] == ["EXPOSE 80/tcp", "EXPOSE x"]


def test_numbers_of_any_length_are_judged_and_break_nothing(images: Images) -> None:
    huge = "9" * 5000
    passwd = images.file("etc/passwd", f"a:x:{huge}:0::/:\nb:x:²:1::/:\nc:x:0{huge}:1::/:\n".encode())
    image = images.app(passwd, User=huge, ExposedPorts={f"{huge}/tcp": {}}, StopSignal=huge)
    for claim in ("non-root-user", "no-privileged-ports", "stop-signal", "user-has-home", "unique-ids"):
        assert verdict(claim, image) is Verdict.FAIL, claim
    assert verdict("non-root-user", images.app(User=f"{'0' * 5000}7:1")) is Verdict.PASS
    assert verdict("entrypoint-resolves", image) is Verdict.FAIL
    text = b"ID=debian\nVERSION_ID=" + b"1." * 100_000 + b"\nX=" + b" " * 1_000_000 + b"y\n"
    assert verdict("base-in-support", images.app(images.file("etc/os-release", text))) is Verdict.UNKNOWN
