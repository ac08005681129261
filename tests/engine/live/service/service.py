"""A small service that keeps what the live checks ask for, and breaks one thing on demand (BROKEN)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

BROKEN = os.environ.get("BROKEN", "")
DRAIN_SECONDS = float(os.environ.get("DRAIN_SECONDS") or 1)
DELAY = float(os.environ.get("CHAOS_DELAY") or 0)
EXPIRES = os.environ.get("EXPIRES", "")
UNHEALTHY_AFTER = os.environ.get("CHAOS_UNHEALTHY_AFTER", "")
STARTED = time.monotonic()
HEADER_SECONDS = 60 if BROKEN == "patient" else 3
LARGEST_BODY = 65_536
MANY_LINES = 40
MUCH_GARBAGE = 256
LOG = Path("/var/tmp/app.log")
LOCK = Path("/var/tmp/lock")
ANY = "0.0.0.0"  # noqa: S104 -- a container's own
NEEDS = {
    "needs-capability": "CapBnd:\t0000000000000000",
    "needs-privileges": "NoNewPrivs:\t1",
    "needs-system-calls": "Seccomp:\t2",
}
AWAY = ("192.0.2.1", 80)
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 413: "Content Too Large"}
PAGES = {"/", "/qr", "/healthz", "/readyz", "/version"}
idle: set[asyncio.StreamWriter] = set()
busy: set[object] = set()
kept: list[object] = []
written = itertools.count()
draining = threading.Event()
one_at_a_time = asyncio.Lock()


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def log(message: str, **fields: object) -> None:
    """Write one line to standard output, at once."""
    if next(written) > MANY_LINES:
        if BROKEN == "dies-of-its-log":
            os._exit(7)
        if BROKEN == "stops-logging":
            return
    now = datetime.now(UTC)
    if BROKEN == "local-time":
        now = now.astimezone(timezone(timedelta(hours=5, minutes=30))).replace(tzinfo=None)
    line = json.dumps({"time": now.isoformat(), "message": message, **fields})
    if BROKEN == "logs-to-file":
        with LOG.open("a") as file:
            file.write(line + "\n")
    elif BROKEN != "silent":
        sys.stdout.write(line + "\n")
        if BROKEN != "buffers-log":
            sys.stdout.flush()


def port() -> int:
    given = os.environ.get("PORT") or "8080"
    if BROKEN == "trace-config":
        return int(given)
    if given.isdigit() and 0 < int(given) < 65_536:
        return 9090 if BROKEN == "port" else int(given)
    if BROKEN == "ignores-config":
        return 8080
    if BROKEN == "killed-config":
        sys.exit(137)
    if BROKEN == "chatty-config":
        complain(f"there are many ports, and PORT is one: {given}")
    sys.exit(2 if BROKEN == "says-nothing" else complain(f'PORT: "{given}" is no port'))


def complain(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 2


def listening(number: int) -> socket.socket:
    """Listen for both kinds of addresses, or for IPv4 alone where IPv6 is off."""
    kinds = {"loopback": [(socket.AF_INET, "127.0.0.1")], "ipv4-only": [(socket.AF_INET, ANY)]}
    for family, address in kinds.get(BROKEN, [(socket.AF_INET6, "::"), (socket.AF_INET, ANY)]):
        one = socket.socket(family, socket.SOCK_STREAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if BROKEN == "shares-port":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, BROKEN == "ipv6-only")
        try:
            one.bind((address, number))
        except OSError as error:
            one.close()
            if family == socket.AF_INET6 and error.errno == errno.EAFNOSUPPORT:
                continue
            if BROKEN == "trace-port":
                raise
            sys.exit(0 if BROKEN == "port-is-no-matter" else complain(f"port {number}: {error.strerror}"))
        one.listen(512)
        return one
    raise AssertionError


async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    if BROKEN == "leaks":
        kept.append(os.dup(writer.get_extra_info("socket").fileno()))
    try:
        async with one_at_a_time if BROKEN == "one-at-a-time" else contextlib.AsyncExitStack():
            while await request(reader, writer):
                pass
    except (OSError, EOFError, TimeoutError):
        if BROKEN == "storm":
            traceback.print_exc()
    finally:
        idle.discard(writer)
        writer.close()


async def request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer one request; tell whether another may follow."""
    idle.add(writer)
    first = await reader.read(1)
    idle.discard(writer)
    if not first:
        return False
    task = object()
    busy.add(task)
    method, path = "", ""
    headers: dict[str, str] = {}
    try:
        method, path, headers = parse(first + await asyncio.wait_for(head(reader), HEADER_SECONDS))
        await body(reader, headers)
        status, said = await answer(method, path.partition("?")[0])
    except RefusedError as refused:
        status, said = refused.status, {"status": "refused"}
    except (ValueError, asyncio.LimitOverrunError):
        if BROKEN == "dies-of-nonsense":
            os._exit(5)
        status, said = 400, {"status": "malformed"}
        if BROKEN == "shows-traces":
            status, said = 500, {"error": traceback.format_exc()}
    finally:
        busy.discard(task)
    last = status in {400, 413} or headers.get("connection") == "close" or draining.is_set()
    data = json.dumps(said, ensure_ascii=False).encode()
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Other')}", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(data)}", *(["Connection: close"] if last else [])]
    lines += ["Server: gunicorn/23.0.0"] if BROKEN == "talkative" else []
    writer.write("\r\n".join([*lines, "", ""]).encode())
    if BROKEN == "storm":
        await asyncio.sleep(0.01)
    writer.write(data)
    await writer.drain()
    if path not in {"/healthz", "/readyz"}:
        log("request", path=path.partition("?")[0], status=status)
    return not last


async def head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        raise EOFError from error


def parse(data: bytes) -> tuple[str, str, dict[str, str]]:
    line, *rest = data[:-4].split(b"\r\n")
    method, path, version = line.decode("ascii").split(" ")
    headers = {name.lower(): value.strip() for name, value in (one.decode("latin-1").split(":", 1) for one in rest)}
    if version not in {"HTTP/1.1", "HTTP/1.0"} or b"\0" in data or (version[-1] == "1" and "host" not in headers):
        raise ValueError(version)
    return method, path, headers


async def body(reader: asyncio.StreamReader, headers: dict[str, str]) -> None:
    """Read the body, within its limit."""
    limit = 1 << 40 if BROKEN == "collects" else LARGEST_BODY
    length = int(headers.get("content-length", "0"))
    if "transfer-encoding" in headers and BROKEN != "smuggles":
        length = -1
        while length:
            length = int(await reader.readline(), 16)
            if length > limit:
                raise RefusedError(413)
            kept.append(await reader.readexactly(length)) if BROKEN == "collects" else await reader.readexactly(length)
            await reader.readline()
        return
    if length < 0:
        raise ValueError(length)
    if length > limit:
        raise RefusedError(413)
    kept.append(await reader.readexactly(length)) if BROKEN == "collects" else await reader.readexactly(length)


async def answer(method: str, path: str) -> tuple[int, dict[str, str]]:
    """Say what there is to say."""
    if path not in PAGES:
        return 404, {"status": "at /usr/lib/app/pages.py"} if BROKEN == "talkative" else {"status": "not found"}
    if method not in {"GET", "HEAD", "POST"}:
        return 405, {"status": "not allowed"}
    if path == "/qr":
        await asyncio.sleep(DELAY)
        await strain()
    if path == "/healthz" and failing():
        return 503, {"status": "failing"}
    if path == "/readyz" and draining.is_set() and BROKEN != "stays-ready":
        return 503, {"status": "draining"}
    if path == "/version":
        version = "9.9.9" if BROKEN == "version" else os.environ.get("APP_VERSION", "0.0.0")
        version = version.encode("ascii", "replace").decode() if BROKEN == "ascii" else version
        return 200, {"version": version, "commit": os.environ["APP_COMMIT"], "built": os.environ["APP_BUILT"]}
    return (500 if path == "/" and BROKEN == "server-error" else 200), {"status": "ok"}


async def strain() -> None:
    """Need more than there is."""
    if BROKEN == "hungry":
        kept.append(b"x" * (8 << 20))
    if BROKEN in {"leaks-memory", "collects-late"}:
        kept.append(b"x" * (100 << 10))
    if BROKEN == "collects-late" and len(kept) > MUCH_GARBAGE:
        kept.clear()
    if BROKEN == "threads":
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
    if BROKEN == "impatient":
        wall, own = time.monotonic(), time.process_time()
        while time.process_time() - own < 0.2:
            pass
        if time.monotonic() - wall > 0.3:
            raise RefusedError(503)
    if BROKEN == "needs-tmp":
        need_tmp()


def need_tmp() -> None:
    needed = Path(f"/tmp/needed-{time.monotonic_ns()}")
    try:
        needed.write_bytes(bytes(8192))
        needed.unlink()
    except OSError:
        os._exit(6)


def failing() -> bool:
    if BROKEN in {"always-healthy", "never-healthy"} or not UNHEALTHY_AFTER:
        return BROKEN == "never-healthy"
    return time.monotonic() - STARTED > float(UNHEALTHY_AFTER)


def expired() -> bool:
    return datetime.now(UTC) > datetime.fromisoformat(EXPIRES)


def probe() -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port()}/healthz", timeout=2) as got:
            return 0 if got.status == 200 else 1
    except OSError:
        return 1


async def stop(server: asyncio.AbstractServer) -> None:
    """Drain, close the socket and the idle connections, let the busy ones finish."""
    await asyncio.sleep(60 if BROKEN == "slow-stop" or (BROKEN == "stops-by-date" and expired()) else DRAIN_SECONDS)
    server.close()
    if BROKEN == "drops-requests":
        os._exit(0)
    while busy or (idle and BROKEN == "waits-for-idle"):  # noqa: ASYNC110 -- a small service may poll
        await asyncio.sleep(0.01)
    for writer in idle.copy():
        writer.close()
    await asyncio.sleep(0.01)
    sys.stdout.flush()
    os._exit(3 if BROKEN == "exit-code" else 0)


def prepare() -> None:
    """Refuse to start, or spoil something before it."""
    status = Path("/proc/self/status").read_text()
    if BROKEN in NEEDS and NEEDS[BROKEN] in status:
        sys.exit(f"cannot start: {NEEDS[BROKEN]}")
    if BROKEN == "root" and os.getuid() != 0:
        sys.exit("only root may start this")
    if BROKEN == "group-0" and os.getgid() != 0:
        sys.exit("only group 0 may start this")
    if BROKEN == "expires" and expired():
        sys.exit(complain(f"this was good until {EXPIRES}"))
    if BROKEN == "asks-tmp" and not os.access("/tmp", os.W_OK):
        sys.exit(complain("/tmp cannot be written to"))
    if BROKEN == "lock" and LOCK.exists():
        sys.exit("another one is running already")
    spoil: dict[str, Callable[[], object]] = {
        "crash": lambda: sys.exit("crash: this is what it says"),
        "traces-tmp": lambda: Path("/tmp/state").write_text("state"),
        "writes": lambda: Path("/var/tmp/state").write_text("state"),
        "memory": lambda: kept.append(b"x" * (200 << 20)),
        "changes-user": lambda: os.setuid(65534),
        "lock": LOCK.touch,
        "zombie": lambda: kept.append(subprocess.Popen(["true"])),
        "egress": look_away,
        "deaf-start": deaf_start,
        "needs-ipv6": lambda: socket.socket(socket.AF_INET6).bind(("::1", 0)),
    }
    if BROKEN in spoil:
        spoil[BROKEN]()


def look_away() -> None:
    socket.socket().connect_ex(AWAY)
    with contextlib.suppress(OSError):
        socket.getaddrinfo("home.example.org", 443)


def deaf_start() -> None:
    log("starting")
    time.sleep(4)


def reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(connection, sock=listening(port()), limit=LARGEST_BODY)
    if BROKEN == "extra-port":
        kept.append(await asyncio.start_server(connection, ANY, 9091))

    def on_stop() -> None:
        if not draining.is_set():
            draining.set()
            kept.append(loop.create_task(stop(server)))

    if BROKEN != "ignores-sigterm":
        loop.add_signal_handler(signal.SIGTERM, on_stop)
    loop.add_signal_handler(signal.SIGINT, on_stop)
    if BROKEN == "reaps":
        signal.signal(signal.SIGCHLD, reap)
    log("ready")
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["healthcheck"]:
        sys.exit(probe())
    prepare()
    asyncio.run(serve())
