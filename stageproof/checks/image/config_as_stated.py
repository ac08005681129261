"""`config-as-stated`: the image's configuration is as the contract states it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from stageproof.checks import stated
from stageproof.checks.subject import Subject, failed, not_applicable, passed
from stageproof.image import secrets
from stageproof.model import Evidence, Finding

ID = "config-as-stated"
CLAIM = "is configured as its contract states"
BROKEN = "is not configured as its contract states"
WHY = "whoever runs the image relies on its user, ports, variables and command, and no test of the app shows them"
DO = "mend the Dockerfile, or the contract"


def check(  # noqa: PLR0913, PLR0917 -- the parts of a configuration
    subject: Subject,
    env: Mapping[str, object] | None = None,
    labels: Mapping[str, object] | None = None,
    exposed: Sequence[str] = (),
    unexposed: Sequence[str] = (),
    volumes: Sequence[str] = (),
    unmounted: Sequence[str] = (),
    entrypoint: Sequence[str] | None = None,
    cmd: Sequence[str] | None = None,
    healthcheck: Sequence[str] | None = None,
    user: object = None,
    workdir: object = None,
    signal: object = None,
) -> Finding:
    """Decide the claim part by part; a part that is not stated may be anything. Ports without a protocol are TCP."""
    named = (env, labels, exposed, unexposed, volumes, unmounted)
    whole = (entrypoint, cmd, healthcheck, user, workdir, signal)
    if not any(named) and all(part is None for part in whole):
        return not_applicable(ID, stated.NOTHING)
    config = subject.image.config
    wrong = [
        *_table("the variable", env or {}, config.env),
        *_table("the label", labels or {}, config.labels),
        *_members("port", map(_port, exposed), map(_port, unexposed), set(map(_port, config.exposed))),
        *_members("volume", volumes, unmounted, set(config.volumes)),
        *_list("ENTRYPOINT", entrypoint, config.entrypoint),
        *_list("CMD", cmd, config.cmd),
        *_list("HEALTHCHECK", healthcheck, config.healthcheck.test if config.healthcheck else ()),
        *_text("USER", user, config.user),
        *_text("WORKDIR", workdir, config.workdir),
        *_text("STOPSIGNAL", signal, config.stop_signal or "SIGTERM"),
    ]
    if wrong:
        return failed(ID, BROKEN, [Evidence(text) for text in wrong], DO)
    return passed(ID, CLAIM)


def _table(what: str, wanted: Mapping[str, object], seen: Mapping[str, str]) -> Iterator[str]:
    for name, value in wanted.items():
        differs = stated.compare(ID, f"{what} {name}", value, seen.get(name))
        # The name of a secret is told, its value is not.
        hidden = secrets.in_text(f"{name}={seen.get(name, '')}")
        yield from (
            f"{what} {name} is not as it is stated (its value is not shown)" if hidden else one for one in differs
        )


def _members(what: str, wanted: Iterable[str], unwanted: Iterable[str], seen: set[str]) -> Iterator[str]:
    yield from (f"the {what} {each} is not declared" for each in wanted if each not in seen)
    yield from (f"the {what} {each} is declared, stated is that it is not" for each in unwanted if each in seen)


def _list(what: str, wanted: Sequence[str] | None, seen: Sequence[str]) -> Iterator[str]:
    if wanted is not None and list(wanted) != list(seen):
        yield f"{what} is {list(seen)}, stated is {list(wanted)}"


def _text(what: str, wanted: object, seen: str) -> Iterable[str]:
    return () if wanted is None else stated.compare(ID, what, wanted, seen)


def _port(text: str) -> str:
    return text if "/" in text else f"{text}/tcp"
