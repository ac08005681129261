"""error-pages: an error tells what was wrong with the request, and nothing about the server."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence

from stageproof.checks.running import TRACE, ended, live_of, restricted
from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.errors import ContainerError
from stageproof.live import Answer, Options, Request, Running
from stageproof.model import Evidence, Finding

ID = "error-pages"
CLAIM = "reveals nothing about itself in its errors"
BROKEN = "reveals something about itself in its errors"
WHY = "Versions, paths and stack traces tell an intruder which of the known holes to try."

ERROR = 400
PRODUCTS = (
    r"gunicorn|werkzeug|uvicorn|hypercorn|waitress|CPython|Python|Flask|Django|Apache|Tomcat|Coyote|Jetty|Undertow|Netty"
    r"|nginx|openresty|Caddy|Express|Fastify|Next\.js|Kestrel|ASP\.NET|Puma|Phusion|PHP|OpenSSL|Debian|Ubuntu"
)
REVEALING = {
    "a stack trace": TRACE,
    "a product's version": re.compile(rf"(?:{PRODUCTS})[/ -]v?\d[\d.]*", re.IGNORECASE),
    "a product": re.compile(
        rf"^(?:server: .*(?:{PRODUCTS}|\d)|x-(?:powered-by|aspnet-version): .+)", re.IGNORECASE | re.MULTILINE
    ),
    "a path of its files": re.compile(r"(?<![\w.:/%-])/(?:usr|opt|app|srv|home|root|var|workspace|layers)/[\w./-]+"),
    "a class": re.compile(
        r"\b(?:(?:org|com|net|io|java|javax|jakarta)\.){1}[a-z][\w.]*\.[A-Z]\w+|Whitelabel Error Page"
    ),
}
DO = "give error pages of your own, and switch the server's off, its Server header too"


def check(subject: Subject, paths: Sequence[str] = ("/qr", "/qr?text=%FF", "/qr?text=a&scale=x")) -> Finding:
    """Ask for what is not there, with a wrong method, and wrongly; look through headers and bodies of the errors."""
    live = live_of(subject)
    try:
        with restricted(live, Options(), "/") as (running, request):
            answers = dict(_ask(running, request.port, paths))
    except ContainerError as error:
        return ended(ID, error)
    errors = {what: answer for what, answer in answers.items() if answer.status >= ERROR}
    if not errors:
        seen = [Evidence(f"{what}: {answer}") for what, answer in answers.items()]
        return unknown(ID, "gave no error to look at", seen, "give `paths` that are answered by an error")
    told = [
        Evidence(f"{what}: {answer} tells {kind}: {text}")
        for what, answer in errors.items()
        for kind, text in _revealed(answer)
    ]
    if told:
        return failed(ID, BROKEN, told, DO)
    return passed(ID, CLAIM, [Evidence(f"{what}: {answer}") for what, answer in errors.items()])


def _ask(running: Running, port: int, paths: Sequence[str]) -> Iterator[tuple[str, Answer]]:
    absent = f"/absent-{secrets.token_hex(4)}"
    for method, path in (("GET", absent), ("DELETE", "/"), ("BREW", "/"), *(("GET", path) for path in paths)):
        yield f"{method} {path}", running.ask(Request(path, method=method, port=port))


def _revealed(answer: Answer) -> Iterator[tuple[str, str]]:
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers)
    text = f"{headers}\n\n{answer.body.decode(errors='replace')}"
    for kind, pattern in REVEALING.items():
        found = pattern.search(text)
        if found:
            yield kind, found[0].strip()
