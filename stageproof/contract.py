"""Contracts: which claims an image makes, and with which limits. Read from TOML, written as TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from stageproof.errors import CatalogError, UsageError
from stageproof.model import Claim
from stageproof.names import nearest

_PACKAGE = Path(__file__).resolve().parent
FOLDERS = (_PACKAGE / "contracts", _PACKAGE.parent / "dockerfiles" / "contracts")
"""Where the named ones are: in the package, and in the checkout that the package runs from."""
DEFAULT = "any-image"
"""The contract of an image of which nothing is known."""
ENDING = ".toml"


@dataclass(frozen=True)
class Contract:
    """A list of claims, and what it is called."""

    name: str
    title: str
    claims: tuple[Claim, ...]


def claims(table: object) -> tuple[Claim, ...]:
    """Read a table `[claims]`: `claim-id = { parameter = value }`. Raises TypeError where its shape is another."""
    if not isinstance(table, Mapping):
        message = "claims is no table"
        raise TypeError(message)
    for name, parameters in table.items():
        if not isinstance(parameters, Mapping):
            message = f"claims.{name} is no table: {parameters!r}; write {name} = {{}}"
            raise TypeError(message)
    return tuple(Claim(str(name), dict(parameters)) for name, parameters in table.items())


def names() -> Mapping[str, Path]:
    """Give the contracts that have a name, with their files."""
    found = {path.stem: path for folder in FOLDERS for path in sorted(folder.glob(f"*{ENDING}"))}
    return dict(sorted(found.items()))


def find(text: str) -> Contract:
    """Give the contract of a name, or of a file. Raises UsageError if there is neither, CatalogError if it is bad."""
    known = names()
    if text in known:
        return read(known[text])
    path = Path(text)
    if path.is_file():
        return read(path)
    failed = f"there is no contract {text!r}"
    seen = f"known: {', '.join(known)}; and there is no such file"
    raise UsageError(failed, seen=seen, do=nearest(text, known) or "name one of them, or a TOML file with [claims]")


def read(path: Path) -> Contract:
    """Read a contract's file. Raises CatalogError if it cannot be read or says something that cannot be."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        made = claims(data["claims"])
    except KeyError:
        seen = "it has no table [claims]"
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        seen = str(error)
    else:
        if made:
            return Contract(path.stem, str(data.get("title", path.stem)), made)
        seen = "its table [claims] is empty"
    failed = f"the contract {path} cannot be used"
    raise CatalogError(failed, seen=seen, why="what claims nothing proves nothing", do="docs/verify.md has the format")


def text(contract: Contract, comments: Sequence[str] = ()) -> str:
    """Write a contract as TOML, the comments at its end. Raises ValueError where TOML has no form for a value."""
    lines = [f"title = {_value(contract.title)}", "", "[claims]"]
    short = [claim for claim in contract.claims if not _tables(claim)]
    lines += [f"{_key(claim.id)} = {_value(claim.parameters)}" for claim in short]
    for claim in contract.claims:
        if _tables(claim):
            lines += ["", *_long(claim)]
    if comments:
        lines += ["", *(f"# {line}".rstrip() for line in comments)]
    return "\n".join(lines) + "\n"


def _tables(claim: Claim) -> dict[str, Sequence[Mapping[str, object]]]:
    """Give the parameters that are lists of tables: they are written one below the other."""
    return {
        name: cast("Sequence[Mapping[str, object]]", value)
        for name, value in claim.parameters.items()
        if isinstance(value, (list, tuple)) and value and all(isinstance(each, Mapping) for each in value)
    }


def _long(claim: Claim) -> Iterable[str]:
    tables = _tables(claim)
    rest = {name: value for name, value in claim.parameters.items() if name not in tables}
    if rest:
        yield f"[claims.{_key(claim.id)}]"
        yield from (f"{_key(name)} = {_value(value)}" for name, value in rest.items())
    for name, rows in tables.items():
        for number, row in enumerate(rows):
            if number or rest:
                yield ""
            yield f"[[claims.{_key(claim.id)}.{_key(name)}]]"
            yield from (f"{_key(key)} = {_value(value)}" for key, value in row.items())


def _key(name: str) -> str:
    plain = name and all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in name)
    return name if plain else _string(name)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(str(name))} = {_value(each)}" for name, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(each) for each in value)}]"
    message = f"TOML has no form for {value!r}"
    raise ValueError(message)


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _string(value: str) -> str:
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in value):  # noqa: PLR2004 -- the surrogates of Unicode
        message = f"TOML has no form for {value!r}: it is no UTF-8"
        raise ValueError(message)
    return f'"{"".join(_ESCAPES.get(letter) or _letter(letter) for letter in value)}"'


def _letter(letter: str) -> str:
    if letter.isprintable():
        return letter
    number = ord(letter)
    return f"\\u{number:04x}" if number < 1 << 16 else f"\\U{number:08x}"
