"""Texts of images made harmless: whoever built the image chose its paths, labels and messages, not its reader.

Every format takes texts through `plain`, and what its own syntax asks for on top of that. What looks like a secret is
not shown: reports are kept longer, and read by more people, than images.
"""

from __future__ import annotations

import re

from stageproof.image import secrets

LONGEST = 2000
"""Characters of one text that are shown; a label may have a million."""
_FIRST_BYTE, _LAST_BYTE = 0xDC80, 0xDCFF
"""Lone surrogates by which Python keeps the bytes 0x80 to 0xff of a name that is no UTF-8 (PEP 383)."""


def plain(text: str, longest: int = LONGEST) -> str:
    r"""Write a text in one line of printable characters: the rest as `\n`, `\x1b`, `\u202e`, what is too long cut.

    Not printable, after Unicode: control characters (ANSI escapes begin with one), marks that turn the direction of
    writing, invisible and unassigned characters, lone surrogates, other line ends and spaces.
    """
    shown = text[:longest]
    if secrets.in_text(shown):
        shown = secrets.hidden(shown)
    written = shown if shown.isprintable() else "".join(map(_letter, shown))
    rest = max(0, len(text) - longest)
    return f"{written}… ({rest:,} more characters)" if rest else written


_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _letter(letter: str) -> str:
    if letter.isprintable():
        return letter
    number = ord(letter)
    if letter in _NAMED:
        return _NAMED[letter]
    if _FIRST_BYTE <= number <= _LAST_BYTE:
        number -= 0xDC00
    if number < 1 << 8:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 1 << 16 else f"\\U{number:08x}"


# What has a meaning inside a line; `://` and `www.` because a bare address would become a link.
_MARKDOWN = re.compile(r"[&<>\"'\\`*_\[\]#|~$@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def markdown(text: str) -> str:
    """Write a text so that Markdown, and HTML in it, show it as it is inside a line or a table: no links, no names."""
    return _MARKDOWN.sub(_entity, plain(text))


def _entity(match: re.Match[str]) -> str:
    # As an entity and not with a backslash: autolinks and tables of dialects know no backslash.
    letter = match[0]
    entity = _HTML.get(letter) or f"&#{ord(letter)};"
    # GitHub looks for @names and #numbers in the rendered text, and only leaves code alone.
    return f"<code>{entity}</code>" if letter in "@#" else entity


def annotation(text: str) -> str:
    """Write a text as the message of a GitHub workflow command; `%` first, since the others bring it in."""
    return plain(text).replace("%", "%25")


def annotation_property(text: str) -> str:
    """Write a text as a property of a GitHub workflow command, where `:` and `,` end it."""
    return annotation(text).replace(":", "%3A").replace(",", "%2C")


_LINK, _PLACE = re.compile(r"[\[\]]"), re.compile(r"\{(\d+)\}")


def sarif(text: str) -> str:
    """Write a text as a line of a SARIF message, where `[a](b)` is a link and `{0}` a place for an argument."""
    written = _PLACE.sub(r"{{\1}}", plain(text))
    return _LINK.sub(lambda match: "\\" + match[0], written) if "](" in written else written
