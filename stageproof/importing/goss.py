"""goss' files, as goss 0.4 writes them.

Source of the keys: goss' manual, section "Available tests". A value there may be a matcher; plain values, lists of
texts, `/regular expressions/` and `!texts` are carried over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stageproof.importing.carried import Carried, Json, file_row, load, named, wrong

_NOTES = frozenset({"title", "meta", "skip", "timeout"})
"""Keys that assert nothing."""
_KINDS = {"file": "file", "directory": "folder", "symlink": "link", "pipe": "pipe"}
_FILE_VALUES = {"mode": "mode", "owner": "owner", "group": "group", "uid": "uid", "gid": "gid"}
_FILE_VALUES |= {"size": "size", "sha256": "sha256", "linked-to": "link"}
_CONTENTS = ("contains", "contents")
_USER = ("uid", "gid", "home", "shell")
_HERE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 -- compared with, not listened on
_WHY = {
    "command": "it runs a program in the container; state the files and packages instead",
    "process": "the processes of a container are not stated; effective-identity and no-zombies look at them",
    "service": "a container has no services",
    "addr": "containers are started without a network",
    "dns": "containers are started without a network",
    "interface": "containers are started without a network",
    "mount": "mounts are the engine's, not the image's",
    "kernel-param": "the kernel is the host's, not the image's",
    "matching": "it compares values of the file with each other",
    "gossfile": "another file: import it by itself",
}


def carry(path: Path) -> Carried:
    """Read a file, and state what it asserts. Raises CatalogError if it is of another shape, or a template."""
    if "{{" in path.read_text(encoding="utf-8", errors="replace"):
        raise wrong(path, "it is a template; `goss render` writes it out")
    document = load(path)
    carried = Carried()
    for kind, one in _KNOWN.items():
        for name, test in named(path, document, kind).items():
            if test.get("skip") is True:
                carried.leave(f"{kind} {name}", "it is skipped there")
            else:
                one(carried, name, test)
    for kind in sorted(set(map(str, document)) - set(_KNOWN)):
        for name in document[kind] or () if isinstance(document[kind], dict) else ("",):
            carried.leave(f"{kind} {name}".strip(), _WHY.get(kind, "it is not known"))
    return carried


def _file(carried: Carried, name: str, test: Json) -> None:
    row: Json = {"path": str(test.get("path") or name)}
    if test.get("exists", True) is False:
        file_row(carried, row | {"exists": False})
        return
    for key, value in test.items():
        if key in _FILE_VALUES and _is_plain(value):
            row[_FILE_VALUES[key]] = str(value) if key == "mode" else value
        elif key == "filetype" and str(value) in _KINDS:
            row["kind"] = _KINDS[str(value)]
        elif key in _CONTENTS and isinstance(value, list):
            for text in value:
                _content(carried, row, f"file {name}, {key}", text)
        elif key not in _NOTES | {"exists", "path"} and value not in ([], None):
            carried.leave(f"file {name}, {key}", _no_value(value))
    file_row(carried, row)


def _content(carried: Carried, row: Json, what: str, text: object) -> None:
    if not isinstance(text, str):
        carried.leave(what, _no_value(text))
        return
    absent = text.startswith("!")
    carried.text_in_file(row, what, _pattern(text.removeprefix("!")), absent=absent)


def _pattern(text: str) -> str:
    r"""Give the regular expression of a text: between slashes it is one, `\/` and `\!` begin plain ones."""
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        return text[1:-1]
    return re.escape(text.removeprefix("\\") if text.startswith(("\\/", "\\!")) else text)


def _package(carried: Carried, name: str, test: Json) -> None:
    row: Json = {"name": str(test.get("name") or name)}
    if test.get("installed", True) is False:
        carried.row("packages-as-stated", "packages", row | {"installed": False})
        return
    for key, value in test.items():
        if key == "versions" and isinstance(value, list) and all(isinstance(each, str) for each in value):
            row |= {"versions": value} if value else {}
        elif key not in _NOTES | {"installed", "name"}:
            carried.leave(f"package {name}, {key}", _no_value(value))
    carried.row("packages-as-stated", "packages", row)


def _account(parameter: str, values: tuple[str, ...]) -> Callable[[Carried, str, Json], None]:
    def account(carried: Carried, name: str, test: Json) -> None:
        row: Json = {"name": name}
        if test.get("exists", True) is False:
            carried.row("users-as-stated", parameter, row | {"exists": False})
            return
        for key, value in test.items():
            if key in values and _is_plain(value):
                row[key] = value
            elif key == "groups" and isinstance(value, list) and all(isinstance(each, str) for each in value):
                row |= {"groups": value} if value else {}
            elif key not in _NOTES | {"exists"}:
                carried.leave(f"{parameter.removesuffix('s')} {name}, {key}", _no_value(value))
        carried.row("users-as-stated", parameter, row)

    return account


def _port(carried: Carried, name: str, test: Json) -> None:
    row: Json = {"port": str(test.get("port") or name)}
    if not re.fullmatch(r"((tcp|udp)6?:)?\d+", row["port"]):
        carried.leave(f"port {name}", "only TCP and UDP ports are looked at")
        return
    if test.get("listening") is False:
        carried.row("ports-as-stated", "ports", row | {"listening": False})
        return
    for key, value in test.items():
        if key == "ip" and isinstance(value, list) and all(isinstance(each, str) for each in value):
            row |= {"addresses": value} if value else {}
        elif key not in _NOTES | {"listening", "port"}:
            carried.leave(f"port {name}, {key}", _no_value(value))
    carried.row("ports-as-stated", "ports", row)


def _http(carried: Carried, name: str, test: Json) -> None:
    try:
        url = urlsplit(str(test.get("url") or name))
        host, port = url.hostname, url.port
    except ValueError:
        carried.leave(f"http {name}", "it is no address")
        return
    if url.scheme != "http" or host not in _HERE or str(test.get("method", "GET")).upper() != "GET":
        carried.leave(f"http {name}", "only GET over HTTP from the container itself is asked")
        return
    row: Json = {"path": (url.path or "/") + (f"?{url.query}" if url.query else ""), "port": port or 80}
    for key, value in test.items():
        if key == "status" and isinstance(value, int):
            row["status"] = value
        elif key in {"body", "headers"} and isinstance(value, list):
            _patterns(carried, row, key, value, f"http {name}, {key}")
        elif key not in _NOTES | {"url", "method"} and value not in ([], None, False):
            carried.leave(f"http {name}, {key}", _no_value(value))
    carried.row("http-as-stated", "requests", row)


def _patterns(carried: Carried, row: Json, key: str, values: list[object], what: str) -> None:
    for text in values:
        if isinstance(text, str) and not text.startswith("!"):
            row.setdefault(key, []).append(_pattern(text))
        else:
            carried.leave(what, f"{text!r} is no text that has to be there")


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _no_value(value: object) -> str:
    return "it is a matcher" if isinstance(value, Mapping) else f"nothing here looks at it (it is {value!r})"


_KNOWN: Mapping[str, Callable[[Carried, str, dict[str, Any]], None]] = {
    "file": _file,
    "package": _package,
    "user": _account("users", _USER),
    "group": _account("groups", ("gid",)),
    "port": _port,
    "http": _http,
}
