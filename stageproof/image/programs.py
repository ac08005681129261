"""Well-known programs, told by what is in the file and not by its name.

Each marker was proved on the real binaries of Debian (dash, bash, zsh, ksh93, mksh of four C libraries, yash, posh,
klibc's sh, csh, tcsh, sash, fish, rc, busybox in both builds, toybox, ...) and does not stand in node, python3, libjvm,
go, git, gdb, vim, make or the Docker and Kubernetes command lines.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from stageproof.image.elf import Elf

if TYPE_CHECKING:
    from stageproof.image.tree import Entry

BUSYBOX = "busybox"
MULTI_CALL = frozenset({BUSYBOX, "toybox"})
SHELLS = frozenset({"busybox", "toybox", "bash", "zsh", "ksh", "sh", "sash", "csh", "fish", "rc"})
DOWNLOADERS = frozenset({"busybox", "toybox", "curl", "wget", "aria2"})
EDITORS = frozenset({"busybox", "toybox", "vim", "nano", "ed", "nvi", "joe"})
PACKAGE_MANAGERS = frozenset({"busybox", "apt", "dpkg", "rpm", "apk"})
COMPILERS = frozenset({"gcc", "gnu as", "gnu ld", "clang", "tcc", "rustc", "go", "make"})

_MARKERS: tuple[tuple[str, tuple[bytes, ...]], ...] = (
    ("busybox", (b"BusyBox v", b"multi-call binary")),
    ("toybox", (b"Toybox %s multicall binary",)),
    ("bash", (b"OPTIND", b"BASH_VERSINFO")),
    ("zsh", (b"OPTIND", b"ZDOTDIR")),
    ("ksh", (b"OPTIND", b"KSH_VERSION")),
    # POSIX names this variable and this builtin; only shells hold both. It finds dash, posh, yash and klibc's sh.
    ("sh", (b"OPTIND", b"getopts")),
    ("sash", (b"Stand-alone shell",)),
    ("csh", (b"hashstat", b"unalias")),
    ("fish", (b"fish_emoji_width",)),
    ("rc", (b"whatis -p: must specify argument",)),
    ("curl", (b"Usage: curl [options",)),
    ("wget", (b"GNU Wget", b"wgetrc")),
    ("vim", (b"VIM - Vi IMproved",)),
    ("nano", (b"GNU nano, version",)),
    ("ed", (b"GNU ed is a line-oriented",)),
    ("nvi", (b"usage: vi [-e",)),
    ("joe", (b"Joe's Own Editor v",)),
    ("dpkg", (b"package management program version", b"status-fd")),
    ("apk", (b"apk-tools", b"/lib/apk/db")),
    ("gcc", (b"GNU C++17", b"compiled by GNU C version")),
    ("gcc", (b"collect2", b"-lgcc_eh")),
    ("gnu as", (b"GNU assembler version",)),
    ("gnu ld", (b"GNU ld %s", b"SEARCH_DIR")),
    ("tcc", (b"Tiny C Compiler",)),
    ("go", (b"cmd/compile/internal/ssa",)),
    ("go", (b"cmd/go/internal/modload",)),
    ("make", (b"%sGNU Make %s",)),
)

_LIBRARIES = {
    "libapt-pkg.so": "apt",
    "librpm.so": "rpm",
    "libapk.so": "apk",
    "librustc_driver-": "rustc",
    "libclang-cpp.so": "clang",
    "libaria2.so": "aria2",
}


MARKERS = tuple(dict.fromkeys(marker for _, markers in _MARKERS for marker in markers))


def recognise(elf: Elf, data: bytes | AbstractSet[bytes]) -> str:
    """Name the well-known program that an ELF file is, by its bytes or by the markers found in them; empty: none."""
    if elf.interpreter:
        for library in elf.needed:
            for start, program in _LIBRARIES.items():
                if library.startswith(start):
                    return program
    for program, markers in _MARKERS:
        if all(marker in data for marker in markers):
            return program
    return ""


def is_busybox_in(entry: Entry, folder: str) -> bool:
    """Whether a file is busybox and stands in this folder."""
    return entry.facts.program == BUSYBOX and entry.path.startswith(folder.rstrip("/") + "/")
