"""Errors as clients see them: problem details of RFC 9457."""

from __future__ import annotations

import json
import logging

from flask import Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

ALLOWED = "GET, HEAD"
BODY_LIMIT = 65_536

log = logging.getLogger(__name__)


class InvalidParameter(Exception):  # noqa: N818 - it is named as its problem type
    """A parameter of the request is missing or wrong."""

    def __init__(self, *, field: str, detail: str) -> None:
        """Name the parameter and say what it should be."""
        super().__init__(detail)
        self.field = field
        self.detail = detail


def answer(error: Exception) -> Response:
    """Answer any error of a request."""
    match error:
        case InvalidParameter():
            return _problem(400, "invalid-parameter", "Invalid parameter", error.detail, error.field)
        case NotFound():
            return _problem(404, "not-found", "Not found", "Nothing is served at this path.")
        case MethodNotAllowed():
            detail = "This path answers GET and HEAD only."
            response = _problem(405, "method-not-allowed", "Method not allowed", detail)
            response.headers["Allow"] = ALLOWED
            return response
        case RequestEntityTooLarge():
            detail = f"The body of a request may have {BODY_LIMIT} bytes at most."
            return _problem(413, "content-too-large", "Content too large", detail, "body")
        case HTTPException(code=int(code)) if 400 <= code < 500:  # noqa: PLR2004 - the client's fault
            return _problem(code, "invalid-request", "Invalid request", "The request cannot be understood.")
    log.error("cannot answer %s %s", request.method, request.path, exc_info=error)
    return _problem(500, "internal", "Internal error", "Something unforeseen went wrong; the logs say what.")


def _problem(status: int, kind: str, title: str, detail: str, field: str | None = None) -> Response:
    body: dict[str, object] = {
        "type": f"urn:stageproof:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if field:
        body["field"] = field
    return Response(json.dumps(body), status, content_type="application/problem+json")
