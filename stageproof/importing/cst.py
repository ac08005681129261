"""container-structure-test's files, schema version 2.0.0.

Source of the keys: the tool's README, sections "Command Tests" to "License Tests".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stageproof.importing.carried import Carried, Json, file_row, load, tables, wrong

CONFIG = "config-as-stated"
VERSION = "2.0.0"
_KNOWN = frozenset(
    {"schemaVersion", "globalEnvVars", "commandTests", "fileExistenceTests", "fileContentTests", "metadataTest"}
    | {"licenseTests", "containerRunOptions"}
)
# Metadata that is one list or text, by its name here. An empty one is no assertion there, but for entrypoint and cmd.
_LISTS = {
    "exposedPorts": "exposed",
    "unexposedPorts": "unexposed",
    "volumes": "volumes",
    "unmountedVolumes": "unmounted",
}
_EXACT = {"entrypoint": "entrypoint", "cmd": "cmd"}
_TEXTS = {"workdir": "workdir", "user": "user"}
_UNBOUND = "unboundEnvVars"
_TABLES = {"envVars": "env", "env": "env", "labels": "labels"}
_MODE = re.compile(r"(?P<marks>-|[dLpugt]+)(?P<bits>([r-][w-][x-]){3})")
"""How Go writes a mode (io/fs, FileMode.String): letters for the kind and the special bits, then the permissions."""
_KINDS = {"d": "folder", "L": "link", "p": "pipe"}
_SPECIAL = {"u": 0o4000, "g": 0o2000, "t": 0o1000}


def carry(path: Path) -> Carried:
    """Read a file, and state what it asserts. Raises CatalogError if it is of another shape or version."""
    document = load(path)
    if str(document.get("schemaVersion")) != VERSION:
        raise wrong(path, f"schemaVersion is {document.get('schemaVersion')!r}, and only {VERSION} is known")
    carried = Carried()
    for number, test in enumerate(tables(path, document, "fileExistenceTests"), start=1):
        _existence(carried, path, test, _name("fileExistenceTests", number, test))
    for number, test in enumerate(tables(path, document, "fileContentTests"), start=1):
        _content(carried, path, test, _name("fileContentTests", number, test))
    metadata = document.get("metadataTest") or {}
    if not isinstance(metadata, dict):
        raise wrong(path, "metadataTest is no table")
    _metadata(carried, path, metadata)
    for key in ("commandTests", "licenseTests"):
        for number, test in enumerate(tables(path, document, key), start=1):
            carried.leave(_name(key, number, test), _WHY[key])
    for key in sorted(set(document) - _KNOWN) + [
        key for key in ("globalEnvVars", "containerRunOptions") if document.get(key)
    ]:
        carried.leave(key, "it is about how the other tool runs its tests" if key in _KNOWN else "it is not known")
    return carried


_WHY = {
    "commandTests": "it runs a program in the container; state the files and packages instead",
    "licenseTests": "which licences are allowed is not judged here; licences-present proves that the texts are there",
}


def _name(key: str, number: int, test: Mapping[str, Any]) -> str:
    return f"{key} {number}" + (f" ({test['name']})" if test.get("name") else "")


def _existence(carried: Carried, path: Path, test: Json, name: str) -> None:
    row: Json = {"path": _path(path, test, name)}
    if test.get("shouldExist", True) is False:
        file_row(carried, row | {"exists": False})
        return
    if permissions := test.get("permissions"):
        row |= _permissions(carried, str(permissions), name)
    for key in ("uid", "gid"):
        if isinstance(test.get(key), int):
            row[key] = test[key]
    if test.get("isExecutableBy"):
        row["executable"] = str(test["isExecutableBy"])
    surplus = set(test) - {"name", "path", "shouldExist", "permissions", "uid", "gid", "isExecutableBy"}
    _surplus(carried, name, surplus)
    file_row(carried, row)


def _path(path: Path, test: Json, name: str) -> str:
    if not isinstance(test.get("path"), str) or not test["path"]:
        raise wrong(path, f"{name} has no path")
    return str(test["path"])


def _permissions(carried: Carried, text: str, name: str) -> Json:
    found = _MODE.fullmatch(text)
    if found is None:
        carried.leave(f"{name}, permissions {text!r}", "it is written in another way than -rwxr-xr-x")
        return {}
    mode = sum(1 << 8 - place for place, letter in enumerate(found["bits"]) if letter != "-")
    mode |= sum(_SPECIAL.get(mark, 0) for mark in set(found["marks"]))
    kind = next((_KINDS[mark] for mark in found["marks"] if mark in _KINDS), "file")
    return {"kind": kind, "mode": f"{mode:04o}"}


def _content(carried: Carried, path: Path, test: Json, name: str) -> None:
    row: Json = {"path": _path(path, test, name)}
    for key, absent in (("expectedContents", False), ("excludedContents", True)):
        for pattern in _strings(path, test.get(key), f"{name}, {key}"):
            carried.text_in_file(row, f"{name}, {key}", pattern, absent=absent)
    _surplus(carried, name, set(test) - {"name", "path", "expectedContents", "excludedContents"})
    file_row(carried, row)  # a file whose content is asserted has to be there, whatever else is carried over


def _metadata(carried: Carried, path: Path, metadata: Json) -> None:
    stated = dict(_parts(path, metadata))
    for key, name in _TABLES.items():
        if pairs := dict(_pairs(path, metadata, key)):
            stated.setdefault(name, {}).update(pairs)
    for variable in _strings(path, metadata.get(_UNBOUND), _UNBOUND):
        stated.setdefault("env", {})[variable] = {"absent": True}
    _surplus(carried, "metadataTest", set(metadata) - {*_LISTS, *_EXACT, *_TEXTS, *_TABLES, _UNBOUND})
    if stated:
        carried.claims[CONFIG] = stated


def _parts(path: Path, metadata: Json) -> Iterator[tuple[str, Any]]:
    for key, name in _LISTS.items():
        if values := _strings(path, metadata.get(key), key):
            yield name, values
    for key, name in _EXACT.items():
        if key in metadata:
            yield name, _strings(path, metadata[key], key)
    for key, name in _TEXTS.items():
        if metadata.get(key):
            yield name, str(metadata[key])


def _pairs(path: Path, metadata: Json, key: str) -> Iterator[tuple[str, object]]:
    for pair in tables(path, metadata, key):
        value = str(pair.get("value", ""))
        yield str(pair.get("key")), {"matches": value} if pair.get("isRegex") else value


def _strings(path: Path, value: object, where: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise wrong(path, f"{where} is no list")
    return [str(each) for each in value]


def _surplus(carried: Carried, name: str, keys: set[str]) -> None:
    for key in sorted(keys):
        carried.leave(f"{name}, {key}", "it is not known")
