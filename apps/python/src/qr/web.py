"""The application: what each path answers."""

from __future__ import annotations

import logging
import platform
import time
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from qr import metrics, problems
from qr.codes import MEDIA_TYPES, draw
from qr.digits import whole_number
from qr.problems import InvalidParameter

if TYPE_CHECKING:
    from qr.config import Config
    from qr.lifecycle import Lifecycle

LONGEST_TEXT = 1024
LARGEST_SCALE = 20
UNLOGGED = frozenset({"/healthz", "/readyz"})
PAGE = files("qr").joinpath("index.html").read_bytes()

log = logging.getLogger(__name__)
routes = Blueprint("routes", __name__)


@dataclass(frozen=True)
class Service:
    """What the routes need to know."""

    config: Config
    lifecycle: Lifecycle
    metrics: metrics.Metrics = field(default_factory=metrics.Metrics)
    started: float = field(default_factory=time.monotonic)


def create_app(config: Config, lifecycle: Lifecycle) -> Flask:
    """Make the WSGI application."""
    app = Flask(__name__, static_folder=None)
    app.config.update(PROVIDE_AUTOMATIC_OPTIONS=False)
    app.url_map.merge_slashes = False
    app.extensions["qr"] = Service(config, lifecycle)
    app.register_blueprint(routes)
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(Exception, problems.answer)
    return app


def _service() -> Service:
    return cast("Service", current_app.extensions["qr"])


@routes.get("/")
def index() -> Response:
    """Give the page with the form."""
    return Response(PAGE, content_type="text/html; charset=utf-8")


@routes.get("/qr")
def code() -> Response:
    """Draw the code."""
    if delay := _service().config.delay:
        time.sleep(delay)
    text, picture, scale = _wanted()
    response = Response(draw(text, picture, scale), content_type=MEDIA_TYPES[picture])
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


@routes.get("/healthz")
def healthz() -> tuple[Response, int]:
    """Say whether the process works."""
    service = _service()
    after = service.config.unhealthy_after
    if after is not None and time.monotonic() - service.started >= after:
        return jsonify(status="failing"), 503
    return jsonify(status="ok"), 200


@routes.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Say whether traffic should be sent here."""
    state = _service().lifecycle.state
    return jsonify(status=state), 200 if state == "ready" else 503


@routes.get("/version")
def version() -> Response:
    """Say what runs here."""
    config = _service().config
    return jsonify(
        stack="python",
        version=config.version,
        commit=config.commit,
        built=config.built,
        runtime=f"{platform.python_implementation()} {platform.python_version()}",
    )


@routes.get("/metrics")
def counters() -> Response:
    """Give the counters."""
    return Response(_service().metrics.text(), content_type=metrics.CONTENT_TYPE)


def _wanted() -> tuple[str, str, int]:
    """Read text, format and scale; InvalidParameter at the first that is wrong."""
    query = parse_qs(request.query_string.decode("latin-1"), keep_blank_values=True, errors="surrogateescape")

    def only(name: str, default: str | None = None) -> str:
        values = query.get(name, [] if default is None else [default])
        if len(values) != 1:
            raise InvalidParameter(
                field=name, detail=f"{name} must be given once." if values else f"{name} is missing."
            )
        return values[0]

    text = only("text")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise InvalidParameter(field="text", detail="text must be UTF-8.") from None
    if not 1 <= size <= LONGEST_TEXT:
        raise InvalidParameter(field="text", detail=f"text must have 1 to {LONGEST_TEXT} bytes.")
    picture = only("format", "svg")
    if picture not in MEDIA_TYPES:
        raise InvalidParameter(field="format", detail=f"format must be one of {', '.join(MEDIA_TYPES)}.")
    scale = whole_number(only("scale", "8"), 1, LARGEST_SCALE)
    if scale is None:
        raise InvalidParameter(field="scale", detail=f"scale must be a whole number from 1 to {LARGEST_SCALE}.")
    return text, picture, scale


def _begin() -> None:
    g.started = time.perf_counter()
    if (request.content_length or 0) > problems.BODY_LIMIT:
        raise RequestEntityTooLarge
    try:
        # A chunked body shows its length only while it is read.
        body = request.environ["wsgi.input"].read(problems.BODY_LIMIT + 1)
    except Exception:  # noqa: BLE001 - each server has its own errors for a broken body
        raise BadRequest from None
    if len(body) > problems.BODY_LIMIT:
        raise RequestEntityTooLarge


def _finish(response: Response) -> Response:
    seconds = time.perf_counter() - g.started
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    known = any(rule.rule == request.path for rule in current_app.url_map.iter_rules())
    _service().metrics.count(request.method, request.path if known else None, response.status_code, seconds)
    if request.path not in UNLOGGED:
        fields = {
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "duration_ms": round(seconds * 1000, 3),
        }
        log.info("%s %s", request.method, request.path, extra={"fields": fields})
    return response
