"""Ask the helper container beside a target."""

from __future__ import annotations

import base64
import itertools
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Self

from stageproof.errors import Error, HelperError
from stageproof.live.answers import Answer, Kept, ListeningSocket, OpenFile, Process, Unrouted
from stageproof.live.container import Container
from stageproof.live.helper.request import Request
from stageproof.live.helper.stream import Stream, StreamEndedError
from stageproof.live.sweep import remove_container

ANSWER_SECONDS = 10.0
"""How much longer than what was asked for the helper may take."""
ENGINE_SECONDS = 2.0
"""How long the engine may take to notice that a container has ended."""
TICKS = 100
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
        self._writing = threading.Lock()
        self._heard = threading.Condition()
        self._numbers = itertools.count()
        self._awaited: set[int] = set()
        self._answers: dict[int, dict[str, Any]] = {}
        self._end: StreamEndedError | None = None
        self._ear = threading.Thread(target=self._listen, daemon=True, name=f"helper {container_id[:12]}")
        self._ear.start()

    def __enter__(self) -> Self:
        """Hand out the helper itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove it, also after Ctrl-C."""
        self.remove()

    def remove(self) -> None:
        """Remove it; it ends by itself when its connection does."""
        self._stream.hang_up()
        remove_container(self.target.client, self.id)
        self._ear.join(ENGINE_SECONDS)
        self._stream.close()

    def ask(self, question: Mapping[str, Any], seconds: float = 0.0) -> dict[str, Any]:
        """Ask one question; raise HelperError when there is no answer, ContainerError when the target's end is why.

        Several threads may ask at the same time: a question that takes long does not hold the others.
        """
        number = next(self._numbers)
        self._awaited.add(number)
        try:
            with self._writing:
                self._stream.write_line(json.dumps({**question, "number": number}).encode())
            answer = self._answer(number, seconds + ANSWER_SECONDS)
        except StreamEndedError as error:
            raise self._lost(error) from error
        finally:
            self._awaited.discard(number)
        if "fault" in answer:
            failed = f"the helper container could not answer {question['op']!r}"
            raise self._cannot(failed, answer["fault"])
        return answer

    def _answer(self, number: int, seconds: float) -> dict[str, Any]:
        with self._heard:
            self._heard.wait_for(lambda: number in self._answers or self._end, seconds)
            if number in self._answers:
                return self._answers.pop(number)
            if self._end:
                raise StreamEndedError(str(self._end))
        message = f"no answer after {seconds:g} s"
        raise StreamEndedError(message)

    def _listen(self) -> None:
        """Hand every answer to whoever asked for it, until the helper is gone."""
        try:
            while True:
                answer = json.loads(self._stream.read_line())
                number = answer.pop("number")
                with self._heard:
                    if number in self._awaited:
                        self._answers[number] = answer
                    self._heard.notify_all()
        except (StreamEndedError, ValueError, KeyError) as error:
            with self._heard:
                self._end = error if isinstance(error, StreamEndedError) else StreamEndedError(f"it said {error}")
                self._heard.notify_all()

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
        return Process.of(self.ask({"op": "process", "pid": pid}))

    def processes(self) -> list[Process]:
        """Read every process of the target."""
        return [Process.of(one) for one in self.ask({"op": "processes"})["processes"]]

    def zombies(self) -> list[Process]:
        """Read the processes that have ended, and whose parent has not asked how; the helper's own children too."""
        return [Process.of(one) for one in self.ask({"op": "zombies"})["processes"]]

    def read(self, path: str) -> str | None:
        """Read a file below the target's /proc, 1 MiB at most; None if there is none."""
        text = self.ask({"op": "read", "path": path})["text"]
        return None if text is None else str(text)

    def open_for_writing(self) -> list[OpenFile]:
        """Find the regular files that the target's processes hold open for writing."""
        return [OpenFile(one["pid"], one["path"], one["size"]) for one in self.ask({"op": "open"})["files"]]

    def sizes(self, paths: Sequence[str]) -> dict[str, int | None]:
        """Give the sizes of the target's regular files, in bytes; None for what is none."""
        return dict(self.ask({"op": "sizes", "paths": list(paths)})["sizes"])

    def abandon(self, request: Request, count: int) -> int:
        """Reset so many connections one after the other in the middle of their answers; give how many had begun."""
        seen = self.ask({"op": "abandon", **request.question(), "count": count}, request.seconds * count)
        return int(seen["begun"])

    def orphans(self, count: int) -> list[int]:
        """Let processes end whose parent ended before, so that the target's first process has to see to them."""
        seen = self.ask({"op": "orphans", "count": count})
        if not seen["adopted"]:
            failed = "the kernel did not hand the orphans to the target's first process"
            raise HelperError(failed, seen=str(seen), why=WHY)
        return [int(pid) for pid in seen["pids"]]

    def fill(self, folder: str) -> int:
        """Fill a small file system of the target; give the bytes that are left. `unfill` gives the room back."""
        return int(self.ask({"op": "fill", "folder": folder})["free"])

    def unfill(self, folder: str) -> None:
        """Give the room back."""
        self.ask({"op": "unfill", "folder": folder})

    def unrouted(self) -> Unrouted:
        """Count the tries to reach what cannot be reached, since the target's network began, without the helper's."""
        seen = self.ask({"op": "unrouted"})
        return Unrouted(seen["seen"]["ipv4"], seen["seen"]["ipv6"], seen["control"])

    def attempts(self) -> list[str]:
        """Name those that were looked for in a network that leads nowhere, as far as it has been watched."""
        return [str(one) for one in self.ask({"op": "attempts"})["attempts"]]

    def seconds_since_start(self, pid: int = 1) -> float:
        """Give how long ago the kernel started a process of the target, to a hundredth of a second."""
        words = (self.read(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
        # The 22nd field of the line, in ticks since the boot; Linux has a hundred of them a second for every program.
        return float(self.ask({"op": "clock"})["boot"]) - int(words[19]) / TICKS
