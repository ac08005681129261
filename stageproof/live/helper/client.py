"""Start the helper container beside a target, and ask it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Self

import docker.errors
import requests.exceptions

from stageproof.errors import ContainerError, EngineError, Error, HelperError, NothingBuiltError
from stageproof.live.answers import Answer, Kept, ListeningSocket, Process
from stageproof.live.container import Container
from stageproof.live.helper.request import Request
from stageproof.live.helper.stream import Stream, StreamEndedError
from stageproof.live.run import Run
from stageproof.live.sweep import remove_container

ANSWER_SECONDS = 10.0
"""How much longer than what was asked for the helper may take."""
ENGINE_SECONDS = 2.0
"""How long the engine may take to notice that a container has ended."""
WHY = "what it was asked stays unknown"


class Helper:
    """A helper container beside a target; leaving the `with` block removes it.

    One that looks shares the target's processes, and dies with it: the kernel ends them all with the first.
    One that only asks shares the network alone, and can tell afterwards how the target's last answers were.
    """

    def __init__(self, target: Container, stream: Stream, container_id: str) -> None:
        self.target = target
        self.id = container_id
        self._stream = stream
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Hand out the helper itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove it, also after Ctrl-C."""
        self.remove()

    def remove(self) -> None:
        """Remove it; it ends by itself when its connection does."""
        self._stream.close()
        remove_container(self.target.client, self.id)

    def ask(self, question: Mapping[str, Any], seconds: float = 0.0) -> dict[str, Any]:
        """Ask one question; raise HelperError when there is no answer, ContainerError when the target's end is why."""
        with self._lock:
            try:
                self._stream.write_line(json.dumps(question).encode())
                line = self._stream.read_line(seconds + ANSWER_SECONDS)
            except StreamEndedError as error:
                raise self._lost(error) from error
        answer: dict[str, Any] = json.loads(line)
        if "fault" in answer:
            failed = f"the helper container could not answer {question['op']!r}"
            raise self._cannot(failed, answer["fault"])
        return answer

    def _lost(self, error: StreamEndedError) -> Error:
        seen = self._stream.errors.decode(errors="replace").strip() or str(error)
        return self._cannot("the helper container does not answer any more", seen)

    def _cannot(self, failed: str, seen: str) -> Error:
        """Tell the target's end from the helper's own trouble; the engine knows of it a moment later."""
        if self.target.wait_ended(ENGINE_SECONDS):
            return self.target.ended_too_early("it could be asked")
        return HelperError(failed, seen=seen, why=WHY)

    def http(self, target: str | bytes | Request = "/", **given: Any) -> Answer:  # noqa: ANN401 -- the fields of Request
        """Send one HTTP request to the target, and give the answer or what came instead of one."""
        request = target if isinstance(target, Request) else Request(target, **given)
        seconds = request.seconds + len(request.raw) * request.pause
        return Answer.of(self.ask({"op": "http", **request.question()}, seconds))

    def hold(self, requests_: Sequence[Request], seconds: float) -> tuple[int, list[bool]]:
        """Start requests in the background; give their number, and which of them the target took up in that time."""
        seen = self.ask({"op": "hold", "requests": [one.question() for one in requests_], "wait": seconds}, seconds)
        return int(seen["id"]), [bool(one) for one in seen["taken"]]

    def collect(self, number: int, seconds: float) -> list[Answer]:
        """Wait for the answers of the held requests."""
        seen = self.ask({"op": "collect", "id": number, "wait": seconds}, seconds)
        return [Answer.of(one) for one in seen["answers"]]

    def keep(self, request: Request, *, answered: bool = True) -> int:
        """Open a connection, have one request answered on it (unless told not to wait), and leave it open."""
        seen = self.ask({"op": "keep", **request.question(), "answer": answered}, request.seconds)
        if "error" in seen:
            failed = "the helper container could not open a connection to keep"
            raise HelperError(failed, seen=f"{seen['error']}: {seen['detail']}", why=WHY)
        return int(seen["id"])

    def kept(self, number: int, seconds: float = 0.0) -> Kept:
        """See whether a kept connection is closed; wait for that if seconds are given."""
        seen = self.ask({"op": "kept", "id": number, "wait": seconds}, seconds)
        return Kept(seen["closed_at"], base64.b64decode(seen["received"]))

    def clock(self) -> float:
        """Read the clock by which the answers are timed."""
        return float(self.ask({"op": "clock"})["now"])

    def sockets(self) -> list[ListeningSocket]:
        """Find what the target's processes listen on."""
        return [
            ListeningSocket(one["protocol"].removesuffix("6"), one["address"], one["port"], tuple(one["owners"]))
            for one in self.ask({"op": "sockets"})["sockets"]
        ]

    def process(self, pid: int = 1) -> Process:
        """Read one process of the target."""
        return _process(self.ask({"op": "process", "pid": pid}))


def _process(seen: Mapping[str, Any]) -> Process:
    return Process(seen["pid"], tuple(seen["cmdline"]), seen["status"])


def attach(target: Container, image: str, run: Run, *, look: bool = True) -> Helper:
    """Start a helper beside a running target, and have it prove that it sees it."""
    client = target.client
    name, stream = run.new_name(), None
    try:
        created = str(client.containers.create(image, name=name, labels=run.labels, **_arguments(target, look=look)).id)
        # Attached before it starts, so that nothing of it is missed. It says nothing before it is asked.
        attached = client.api.attach_socket(created, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
        stream = Stream(attached)
        helper = Helper(target, stream, created)
        client.api.start(created)
        _prove(helper, look=look)
    except BaseException as error:
        if stream:
            stream.close()
        remove_container(client, name)
        if isinstance(error, docker.errors.APIError | requests.exceptions.RequestException):
            raise _start_error(target, image, error) from error
        raise
    return helper


def _arguments(target: Container, *, look: bool) -> dict[str, Any]:
    given: dict[str, Any] = {
        "network_mode": f"container:{target.id}",
        "stdin_open": True,
        "cap_drop": ["ALL"],
        "read_only": True,
    }
    if look:
        # To see what other users' processes hold open: the first to be allowed to, the second to open the folder.
        given |= {"pid_mode": f"container:{target.id}", "cap_add": ["SYS_PTRACE", "DAC_READ_SEARCH"]}
    return given


def _prove(helper: Helper, *, look: bool) -> None:
    """Hear the agent; one that looks must see a first process that is not itself, in the same network."""
    if not look:
        helper.clock()
        return
    seen = helper.ask({"op": "hello"})
    if seen["pid"] == 1 or not seen["same_network"]:
        failed = f"the helper container does not see the container of {helper.target.image}"
        raise HelperError(failed, seen=f"its first process is {seen['cmdline']}", why=WHY)


def _start_error(target: Container, image: str, error: Exception) -> Error:
    if isinstance(error, docker.errors.ImageNotFound):
        failed = f"the engine has no image {image} for the helper container"
        return HelperError(failed, why=WHY, do="build the target `helper`")
    try:
        if target.wait_ended(ENGINE_SECONDS):
            return target.ended_too_early("it could be asked")
    except (ContainerError, EngineError, NothingBuiltError) as gone:
        return gone
    return HelperError("the helper container did not start", seen=str(error), why=WHY)
