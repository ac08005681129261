"""The helper container: what it sees, what it asks, and that it says so when it cannot."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import docker
import docker.errors
import pytest

from stageproof.errors import ContainerError, HelperError
from stageproof.live import Live, Options, Request, Run
from stageproof.live.helper.beside import attach
from stageproof.live.session import Running
from stageproof.live.wait import until

Broken = Callable[..., str]
Session = Callable[[str], Live]


@pytest.fixture
def running(service_image: str, session: Session) -> Iterator[Running]:
    """Give the service with a helper that looks."""
    with session(service_image).running(Options(env={"CHAOS_DELAY": "1", "DRAIN_SECONDS": "0"})) as running:
        assert running.answer(Request("/readyz"), lambda answer: answer.status == 200).status == 200
        yield running


def test_it_sees_the_first_process_of_a_target_of_another_user(running: Running) -> None:
    process = running.helper.process()
    assert (process.pid, process.uid, process.gid) == (1, 65532, 65532)
    assert process.cmdline[-1] == "/app/service.py"
    assert process.name == "python3"
    assert process.seccomp


def test_it_sees_who_listens_where(running: Running) -> None:
    assert [(str(one), one.owners) for one in running.helper.sockets()] == [("[::]:8080/tcp", (1,))]


def test_it_gives_an_http_answer_as_it_came(running: Running) -> None:
    answer = running.ask("/version", headers={"X-A": "1"})
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert answer.json()["version"] == "1.2.3"
    assert answer.header("content-length") == str(len(answer.body))
    assert 0 < answer.seconds < 2


def test_it_gives_what_came_instead_of_an_answer(running: Running) -> None:
    assert running.ask("/", port=1).error == "refused"
    assert running.ask("/qr", seconds=0.2).error == "timeout"
    assert running.ask(Request(bytes_=b"\r\n\r\n\r\n", until_closed=True, seconds=2)).status == 0


def test_it_sends_bytes_as_they_are_and_slowly_if_asked(running: Running) -> None:
    answer = running.ask(Request(bytes_=b"GET / HTTP/1.0\r\n\r\n", piece=6, pause=0.1))
    assert answer.status == 200
    assert answer.seconds >= 0.2


def test_it_holds_requests_and_knows_when_the_target_has_taken_them_up(running: Running) -> None:
    number, taken = running.helper.hold([Request("/qr")] * 3, 1)
    assert taken == [True] * 3
    answers = running.helper.collect(number, 5)
    assert [answer.status for answer in answers] == [200] * 3
    assert all(answer.seconds >= 1 for answer in answers)


def test_it_keeps_a_connection_open(running: Running) -> None:
    number = running.helper.keep(Request("/version", keep_alive=True))
    assert running.helper.kept(number, 0.1).closed_at is None


def test_one_that_looks_ends_with_its_target_and_tells_how_that_ended(running: Running) -> None:
    running.container.signal()
    with pytest.raises(ContainerError, match="ended with exit code 0 before it could be asked"):
        until(lambda: not running.helper.clock(), 10)


def test_one_that_only_asks_outlives_the_target(service_image: str, session: Session) -> None:
    with session(service_image).running(Options(env={"DRAIN_SECONDS": "0"}), look=False) as running:
        running.answer(Request("/readyz"), lambda answer: answer.status == 200)
        number = running.helper.keep(Request("/version", keep_alive=True))
        running.container.signal()
        assert running.container.wait_ended(5)
        assert running.helper.kept(number, 1).closed_at
        assert running.ask("/").error == "refused"


def test_one_that_only_asks_has_no_privileges(
    client: docker.DockerClient, service_image: str, session: Session
) -> None:
    with session(service_image).running(look=False) as running:
        host = client.api.inspect_container(running.helper.id)["HostConfig"]
    assert (host["CapDrop"], host["CapAdd"], host["PidMode"], host["ReadonlyRootfs"]) == (["ALL"], None, "", True)
    assert not host["Binds"]
    assert not host["PortBindings"]


def test_a_question_that_it_does_not_know_is_an_error_and_no_answer(running: Running) -> None:
    with pytest.raises(HelperError, match="could not answer 'nonsense'"):
        running.helper.ask({"op": "nonsense"})
    assert running.ask("/").status == 200


def test_a_process_that_is_not_there_is_an_error_and_no_answer(running: Running) -> None:
    with pytest.raises(HelperError):
        running.helper.process(99999)


def test_it_gives_the_sizes_of_regular_files_alone(running: Running) -> None:
    sizes = running.helper.sizes(["/app/service.py", "/app", "/proc/self", "/absent", "/app/service.py/below"])
    assert sizes["/app/service.py"]
    assert list(sizes.values())[1:] == [None] * 4


def test_it_does_not_fill_what_is_no_small_file_system(running: Running) -> None:
    with pytest.raises(HelperError) as error:
        running.helper.fill("/var/tmp")
    assert "is no small file system of its own" in error.value.seen


def test_it_answers_what_is_quick_while_something_slow_is_asked(running: Running) -> None:
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(running.ask, "/qr")
        assert [running.ask("/version").status for _ in range(5)] == [200] * 5
        assert not slow.done()
        assert slow.result().seconds >= 1


def test_an_answer_that_does_not_come_is_an_error_and_does_not_spoil_the_next_one(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stageproof.live.helper.client.ANSWER_SECONDS", 0.2)
    monkeypatch.setattr("stageproof.live.helper.client.ENGINE_SECONDS", 0.1)
    with pytest.raises(HelperError, match="does not answer any more") as error:
        running.helper.ask({"op": "http", **Request("/qr").question()})
    assert "no answer after 0.2 s" in error.value.seen
    assert running.ask("/version").status == 200


def test_one_that_has_been_removed_is_an_error_and_no_answer(running: Running) -> None:
    running.helper.remove()
    with pytest.raises(HelperError, match="does not answer any more"):
        running.ask("/")


def test_beside_a_target_that_has_ended_the_targets_end_is_told(
    broken: Broken, session: Session, run: Run, helper_image: str
) -> None:
    with session(broken("crash")).start() as container:
        assert container.wait_ended(10)
        with pytest.raises(ContainerError) as error:
            attach(container, helper_image, run)
    assert "this is what it says" in error.value.seen


def test_a_helper_that_does_not_see_the_target_is_refused(
    service_image: str, session: Session, run: Run, broken: Broken
) -> None:
    says = {"pid": 1, "same_network": True, "cmdline": ["itself"], "number": 0}
    liar = json.dumps(["python3", "-c", f"while input(): print({json.dumps(says)!r}, flush=True)"])
    with (
        session(service_image).start() as container,
        pytest.raises(HelperError, match="does not see the container"),
        attach(container, broken("", f"ENTRYPOINT {liar}"), run),
    ):
        pytest.fail("it was believed")
