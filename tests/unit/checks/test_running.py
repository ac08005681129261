"""What checks of running containers share, and needs no container."""

from __future__ import annotations

import pytest

from stageproof.checks.running import TRACE, answered, tally, trace_in
from stageproof.live import Answer

TRACES = {
    "Python": 'Traceback (most recent call last):\n  File "app.py", line 1, in <module>',
    "Node": "Error: no\n    at Server.listen (node:net:1937:16)",
    "an async function of Node": "Error: no\n    at async main (file:///app/main.js:3:1)",
    "Java": "java.lang.IllegalStateException: no\n\tat org.example.App.main(App.java:7)",
    "Java's cause": "Caused by: java.net.BindException: Address already in use",
    "Go": "panic: no\n\ngoroutine 1 [running]:",
    "JSON": '{"stack":"Error: no\\n    at Server.listen (node:net:1937:16)"}',
}
MESSAGES = (
    "port 8080: Address already in use",
    'PORT: "abc" is not a whole number from 1 to 65535',
    "started at 10:15:30 (pid 1)",
    "look at https://example.org:8080/help",
    "panic button pressed",
)


def answer(status: int, error: str = "") -> Answer:
    return Answer(status, (), b"", 0.1, 1.0, error)


@pytest.mark.parametrize("kind", TRACES)
def test_a_stack_trace_is_known(kind: str) -> None:
    assert TRACE.search(TRACES[kind])


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_no_stack_trace(message: str) -> None:
    assert TRACE.search(message) is None


def test_a_stack_in_a_line_for_machines_hides_nothing_from_people() -> None:
    assert trace_in(TRACES["JSON"]) == ""
    assert trace_in(TRACES["JSON"] + "\n" + TRACES["Go"]).startswith("panic:")


def test_answers_are_counted_by_what_they_are() -> None:
    assert tally([answer(200), answer(0, "closed"), answer(200)]) == "1 x no answer (closed), 2 x status 200"
    assert [answered(answer(status)) for status in (0, 200, 404, 500)] == [False, True, True, False]
