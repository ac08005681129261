"""slow-clients: clients that send slowly are shown out, and keep nobody waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from stageproof.checks.running import answered, ended, live_of
from stageproof.checks.subject import Subject, failed, passed
from stageproof.errors import ContainerError
from stageproof.live import Answer, Kept, Live, Request, Running
from stageproof.live.restrictions import restricted
from stageproof.model import Evidence, Finding, Verdict

ID = "slow-clients"
CLAIM = "serves others while clients are slow, and closes the slow ones"
BROKEN = "lets slow clients keep others waiting, or stay for ever"
WHY = "A few hundred connections that send a byte now and then are the cheapest way to stop a server."
WAITS = True
"""In containers of its own: begun first where several claims are decided at once."""

HALF = b"HEAD / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
PAUSE = 0.5
MEANWHILE = 10
DO = "give headers a time-out of their own, and let no connection hold a worker before its request has come"


@dataclass(frozen=True)
class Seen:
    """What became of the slow connections, and of others meanwhile."""

    opened: float
    others: list[Answer]
    silent: list[Kept]
    dripping: Answer
    alive: bool


def check(  # noqa: PLR0913, PLR0917 -- the parameters of the contract
    subject: Subject, path: str = "/", clients: int = 100, patience: float = 10, grace: float = 6, answer: float = 3
) -> Finding:
    """Open connections that stop in the middle of their headers, and one that drips; ask others; wait for the ends."""
    live = live_of(subject)
    try:
        finding = _judge(_watch(live, path, clients, patience + grace), patience + grace, answer)
        if finding.verdict is Verdict.FAIL:
            # Once more: what was closed too late may have been late because the machine was busy.
            finding = _judge(_watch(live, path, clients, patience + grace), patience + grace, answer)
    except ContainerError as error:
        return ended(ID, error, DO)
    return finding


@contextmanager
def _start(live: Live, path: str) -> Iterator[Running]:
    """Start it under all restrictions, because that is where threads and memory are short; freely if it needs more."""
    request = Request(path, port=live.port)
    with ExitStack() as opened:
        running = opened.enter_context(live.running(restricted(live.limits, live.any_user), look=False))
        if not answered(running.answer(request, answered)):
            opened.close()
            running = opened.enter_context(live.running(look=False))
            running.answer(request, answered)
        yield running


def _watch(live: Live, path: str, clients: int, seconds: float) -> Seen:
    with _start(live, path) as running:
        helper, port = running.helper, live.port
        opened = helper.clock()
        silent = [helper.keep(Request(bytes_=HALF, port=port), answered=False) for _ in range(clients)]
        drip = Request(bytes_=HALF + b"x" * int(2 * seconds / PAUSE), port=port, piece=1, pause=PAUSE, seconds=seconds)
        # The beginning goes out at once, and the rest byte by byte: no time-out between two bytes ever ends it.
        number, _ = helper.hold([drip], 0)
        others = [helper.http(Request(path, port=port))]
        while len(others) < MEANWHILE and helper.clock() < opened + seconds:
            others.append(helper.http(Request(path, port=port)))
        ends = [helper.kept(one, max(0.0, opened + seconds - helper.clock())) for one in silent]
        left = max(0.0, opened + seconds - helper.clock())
        dripping = helper.collect(number, left)[0]
        return Seen(opened, others, ends, dripping, answered(helper.http(Request(path, port=port))))


def _judge(seen: Seen, seconds: float, most: float) -> Finding:
    ends = [one.closed_at - seen.opened for one in seen.silent if one.closed_at is not None]
    slowest = max(one.seconds for one in seen.others)
    good = sum(answered(one) for one in seen.others)
    evidence = [
        Evidence(f"{len(seen.silent)} connections stopped in the middle of their headers, and one dripped"),
        Evidence(f"others meanwhile: {good} of {len(seen.others)} answered, the slowest after {slowest:.2f} s"),
        Evidence(
            f"{len(ends)} of the silent ones were closed" + (f", the last after {max(ends):.1f} s" if ends else "")
        ),
        Evidence(f"the dripping one: {seen.dripping}, after {seen.dripping.ended - seen.opened:.1f} s"),
    ]
    if good < len(seen.others) or slowest > most or not seen.alive:
        return failed(ID, "keeps others waiting while clients are slow", evidence, DO)
    if len(ends) < len(seen.silent):
        return failed(ID, f"lets connections stay that sent nothing more for {seconds:g} s", evidence, DO)
    if seen.dripping.error == "timeout":
        return failed(ID, f"lets a connection stay that sends a byte every {PAUSE:g} s", evidence, DO)
    return passed(ID, CLAIM, evidence)
