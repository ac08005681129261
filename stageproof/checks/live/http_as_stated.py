"""http-as-stated: requests are answered as the contract states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from stageproof.checks import stated
from stageproof.checks.running import ended, live_of
from stageproof.checks.subject import Subject, failed, not_applicable, passed
from stageproof.errors import ContainerError
from stageproof.live import Answer, Live, Request
from stageproof.model import Evidence, Finding

ID = "http-as-stated"
CLAIM = "answers requests as its contract states"
BROKEN = "does not answer requests as its contract states"
WHY = "A service that starts is not yet a service that gives the right answers."
KEYS = ("path", "port", "status", "body", "headers")

Row = stated.Row


def check(subject: Subject, requests: Sequence[Row] = ()) -> Finding:
    """Send `GET` for each row until the answer is as stated or the start has taken too long.

    `body` and `headers` are lists of regular expressions; a header is matched as `Name: value`.
    """
    rows = stated.rows(ID, requests, KEYS, "path")
    if not rows:
        return not_applicable(ID, stated.NOTHING)
    live = live_of(subject)
    try:
        running = live.serving()
        answers = [running.answer(_request(live, row), _right(row)) for row in rows]
    except ContainerError as error:
        return ended(ID, error)
    told = [(row, answer, _wrong(row, answer)) for row, answer in zip(rows, answers, strict=True)]
    evidence = [
        Evidence(f"GET {row['path']}: {answer}" + "".join(f"; {word}" for word in wrong)) for row, answer, wrong in told
    ]
    if any(wrong for _, _, wrong in told):
        return failed(ID, BROKEN, evidence, do="ask the app the same question, and read what it logs")
    return passed(ID, CLAIM, evidence)


def _request(live: Live, row: Row) -> Request:
    port = row.get("port", live.port)
    if not isinstance(port, int):
        raise stated.refused(ID, f"port is no number: {port!r}")
    return Request(str(row["path"]), port=port)


def _right(row: Row) -> Callable[[Answer], bool]:
    return lambda answer: not _wrong(row, answer)


def _wrong(row: Row, answer: Answer) -> list[str]:
    return list(_differences(row, answer))


def _differences(row: Row, answer: Answer) -> Iterator[str]:
    if answer.error:
        yield "stated is that it is answered"
        return
    if "status" in row and answer.status != row["status"]:
        yield f"stated is {row['status']}"
    body = answer.body.decode("utf-8", "replace")
    yield from (
        f"the body matches {text!r} nowhere"
        for text in stated.words(ID, row, "body")
        if not stated.pattern(ID, text).search(body)
    )
    lines = [f"{name}: {value}" for name, value in answer.headers]
    for text in stated.words(ID, row, "headers"):
        wanted = stated.pattern(ID, f"(?i){text}")
        if not any(wanted.search(line) for line in lines):
            yield f"no header matches {text!r}"
