"""The self-probe: GET /healthz by hand, since a probe that runs every few seconds must start fast."""

from __future__ import annotations

import socket
import time

PROBE_SECONDS = 2.0
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
LONGEST_STATUS_LINE = 1024


def healthy(port: int, seconds: float = PROBE_SECONDS) -> bool:
    """Whether the service on 127.0.0.1 answers 200 within the given time, all in all."""
    try:
        return _status_line(port, time.monotonic() + seconds).split(b" ")[1:2] == [b"200"]
    except OSError:
        return False


def _status_line(port: int, deadline: float) -> bytes:
    """Ask, and give the first line of the answer; TimeoutError when it is not there by the deadline."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=_left(deadline)) as connection:
        connection.sendall(REQUEST)
        while b"\r\n" not in answer and len(answer) < LONGEST_STATUS_LINE:
            connection.settimeout(_left(deadline))
            received = connection.recv(LONGEST_STATUS_LINE)
            if not received:
                break
            answer += received
    return answer.partition(b"\r\n")[0]


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
