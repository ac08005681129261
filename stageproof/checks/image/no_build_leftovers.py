"""`no-build-leftovers`: nothing is left in the image that only developers and builds need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from stageproof.checks.subject import Says, Subject, absent, evidence_of, is_of_base
from stageproof.image import Entry
from stageproof.model import Evidence, Finding

CLAIM = "holds nothing that only developers and builds need"
BROKEN = "holds what only developers and builds need"
WHY = "it is weight, and version control data and editor settings tell an intruder about more than the app"
DO = "an allow-list in .dockerignore, and COPY by name from the building stage"

# Dockle's list of folders and files, and what a C compiler and a linker read.
_FOLDER = re.compile(r"^(?P<root>.*?/\.(?:git|svn|hg|aws|azure|gcp|vscode|idea))/.")
_FOLDERS = ("/.git/", "/.svn/", "/.hg/", "/.aws/", "/.azure/", "/.gcp/", "/.vscode/", "/.idea/")
_FILES = re.compile(
    r"(.*\.)?(Docker|Container)file|docker-compose.*\.ya?ml|compose\.ya?ml|\.dockerignore"
    r"|\.DS_Store|\.vimrc|\.bash_history|\.python_history|\.node_repl_history"
)
_COMPILED = (".h", ".hh", ".hpp", ".a", ".la", ".o")


def check(subject: Subject, base_may: bool = False, allowed: Sequence[str] = ()) -> Finding:
    """Decide the claim for the merged image, by folders and names: version control, editors, headers, static libraries.

    With `base_may` what the base brings is not counted; `allowed` are patterns of paths.
    """
    return absent("no-build-leftovers", Says(CLAIM, BROKEN, DO), subject, _left(subject, allowed, base_may=base_may))


def _left(subject: Subject, allowed: Sequence[str], *, base_may: bool) -> Iterator[Evidence]:
    told: set[str] = set()
    found = {path: how for path, entry in subject.image.tree.items() if entry.is_file and (how := _how(entry))}
    for path, how in sorted(found.items()):
        entry = subject.image.tree[path]
        if any(fnmatchcase(path, form) for form in allowed) or (base_may and is_of_base(subject, entry)):
            continue
        folder = _FOLDER.match(path)
        root = folder["root"] if folder else path
        if root not in told:  # a folder once, not each of its files
            told.add(root)
            yield evidence_of(subject, entry, how)


def _how(entry: Entry) -> str:
    if "/." in entry.path and any(folder in entry.path for folder in _FOLDERS):
        return "in a folder of developers' tools"
    if entry.path.endswith(_COMPILED):
        return "needed to compile only"
    return "a file of the developers" if _FILES.fullmatch(entry.name) else ""
