"""utf8: what is not ASCII comes out as it was put in."""

from __future__ import annotations

from collections.abc import Iterator

from stageproof.checks.running import abroad, ended, live_of
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Answer, Options, Request
from stageproof.live.restrictions import ECHOED, FOREIGN
from stageproof.model import Evidence, Finding

ID = "utf8"
CLAIM = "keeps text that is not ASCII as it is"
BROKEN = "does not keep text that is not ASCII as it is"
WHY = "A small image has no locale: a runtime that takes its encoding from there turns names into question marks."
BEGINNING = FOREIGN[:2]
"""The part of it that survives in every encoding: where not even this comes back, nothing is echoed."""


def check(subject: Subject, env: str = ECHOED, path: str = "/version") -> Finding:
    """Give a variable a value of two, three and four bytes a character, and look for it in an answer."""
    live = live_of(subject)
    alone = Options(env={env: FOREIGN})
    try:
        if env == ECHOED:
            with abroad(live, alone, path) as (running, request):
                answer = running.ask(request)
        else:
            with live.running(alone) as running:
                answer = running.answer(Request(path, port=live.port), lambda one: bool(one.status))
    except ContainerError as error:
        return ended(ID, error)
    texts = list(_texts(answer))
    seen = [
        Evidence(f"{env}={FOREIGN}"),
        *(Evidence(f"GET {path} says {text!r}") for text in texts if BEGINNING in text),
    ]
    if any(FOREIGN in text for text in texts):
        return passed(ID, CLAIM, seen)
    if not any(BEGINNING in text for text in texts):
        message = f"GET {path} does not tell the value of {env}, so nothing can be compared"
        return unknown(ID, message, [Evidence(str(answer))], "give `env` and `path` so that an answer tells the value")
    return failed(ID, BROKEN, seen, do="set LANG=C.UTF-8, or the runtime's own option for UTF-8")


def _texts(answer: Answer) -> Iterator[str]:
    """Give every string of a JSON answer, or the whole body of another one."""
    try:
        yield from _strings(answer.json())
    except ValueError:
        yield answer.body.decode(errors="replace")


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
