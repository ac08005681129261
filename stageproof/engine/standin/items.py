"""The files of distroless that are not a package's plain content: one layer each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from stageproof.engine.standin.debian_package import DebianPackage
from stageproof.engine.standin.keystore import jks
from stageproof.engine.standin.layer import Entry, folders

_USERS = """\
root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
"""

_GROUPS = """\
root:x:0:
nobody:x:65534:
tty:x:5:
staff:x:50:
nonroot:x:65532:
"""

_NSSWITCH = """\
# /etc/nsswitch.conf
#
# Example configuration of GNU Name Service Switch functionality.
# If you have the `glibc-doc-reference' and `info' packages installed, try:
# `info libc "Name Service Switch"' for information about this file.

passwd:         compat
group:          compat
shadow:         compat
gshadow:        files

hosts:          files dns
networks:       files

protocols:      db files
services:       db files
ethers:         db files
rpc:            db files

netgroup:       nis
"""

_OS_RELEASE = """\
PRETTY_NAME="Distroless"
NAME="Debian GNU/Linux"
ID="debian"
VERSION_ID="13"
VERSION="Debian GNU/Linux 13 (trixie)"
HOME_URL="https://github.com/GoogleContainerTools/distroless"
SUPPORT_URL="https://github.com/GoogleContainerTools/distroless/blob/master/README.md"
BUG_REPORT_URL="https://github.com/GoogleContainerTools/distroless/issues/new"
"""

_NONROOT = 65532


@dataclass(frozen=True)
class Material:
    """What the items are made of."""

    packages: Mapping[str, DebianPackage]
    busybox_applets: tuple[str, ...]
    library_cache: bytes
    """The content of /etc/ld.so.cache."""


def rootfs(_: Material) -> Iterator[Entry]:
    """Give the root folder itself."""
    yield Entry.directory("")


def passwd(_: Material) -> Iterator[Entry]:
    """Give the three users; /sbin/nologin does not exist, as upstream."""
    yield Entry.directory("etc")
    yield Entry.file("etc/passwd", _USERS.encode())


def home(_: Material) -> Iterator[Entry]:
    """Give the homes; nonroot's is closed to everybody else, which any other uid meets."""
    yield Entry.directory("root", 0o700)
    yield Entry.directory("home")
    yield Entry.directory("home/nonroot", 0o700, _NONROOT)


def group(_: Material) -> Iterator[Entry]:
    """Give the five groups."""
    yield Entry.directory("etc")
    yield Entry.file("etc/group", _GROUPS.encode())


def tmp(_: Material) -> Iterator[Entry]:
    """Give /tmp."""
    yield Entry.directory("tmp", 0o1777)


def nsswitch(_: Material) -> Iterator[Entry]:
    """Give Debian's usual order of name services."""
    yield Entry.directory("etc")
    yield Entry.file("etc/nsswitch.conf", _NSSWITCH.encode())


def os_release(_: Material) -> Iterator[Entry]:
    """Give the file that base-files' link /etc/os-release points to."""
    yield Entry.directory("usr")
    yield Entry.directory("usr/lib")
    yield Entry.file("usr/lib/os-release", _OS_RELEASE.encode())


def ca_certificates(material: Material) -> Iterator[Entry]:
    """Give the bundle: every certificate of the package, one after the other, without update-ca-certificates."""
    package = material.packages["ca-certificates"]
    yield from folders("etc/ssl/certs")
    yield Entry.file("etc/ssl/certs/ca-certificates.crt", _bundle(material))
    yield from folders("usr/share/doc/ca-certificates")
    yield package.file("usr/share/doc/ca-certificates/copyright")
    yield from package.status_entries()


def busybox(material: Material) -> Iterator[Entry]:
    """Give busybox and a link for each applet that it has."""
    yield Entry.directory("busybox")
    binary = material.packages["busybox-static"].file("usr/bin/busybox")
    yield Entry.file("busybox/busybox", binary.content, 0o755)
    for applet in material.busybox_applets:
        if applet != "busybox":
            yield Entry.link(f"busybox/{applet}", "/busybox/busybox")


def python_links(_: Material) -> Iterator[Entry]:
    """Give the two short names of Python, as absolute links."""
    yield from folders("usr/bin")
    yield Entry.link("usr/bin/python", "/usr/bin/python3.13")
    yield Entry.link("usr/bin/python3", "/usr/bin/python3.13")


def library_cache(material: Material) -> Iterator[Entry]:
    """Give /etc/ld.so.cache, without which ctypes.util.find_library finds nothing."""
    yield Entry.directory("etc")
    yield Entry.file("etc/ld.so.cache", material.library_cache)


def c_utf8_locale(material: Material) -> Iterator[Entry]:
    """Give the locale C.utf8, without which Java takes file names for ASCII."""
    package = material.packages["libc-bin"]
    yield from folders("usr/lib/locale")
    yield from (entry for entry in package.entries if f"{entry.path}/".startswith("usr/lib/locale/C.utf8/"))
    yield from folders("usr/share/doc/libc-bin")
    yield package.file("usr/share/doc/libc-bin/copyright")
    yield from package.status_entries()


def java_key_store(material: Material) -> Iterator[Entry]:
    """Give Java's trust store, of the same certificates as the bundle."""
    yield from folders("etc/ssl/certs/java")
    yield Entry.file("etc/ssl/certs/java/cacerts", jks(_bundle(material).decode()))


ITEMS: Mapping[str, Callable[[Material], Iterator[Entry]]] = {
    "rootfs": rootfs,
    "passwd": passwd,
    "home": home,
    "group": group,
    "tmp": tmp,
    "nsswitch": nsswitch,
    "os-release": os_release,
    "ca-certificates": ca_certificates,
    "busybox": busybox,
    "python-links": python_links,
    "library-cache": library_cache,
    "c-utf8-locale": c_utf8_locale,
    "java-key-store": java_key_store,
}
"""The names that `items` of a base.toml may hold."""

ITEM_PACKAGES = ("busybox-static", "ca-certificates", "libc-bin")
"""The packages that items are taken out of, besides those that are unpacked whole."""


def _bundle(material: Material) -> bytes:
    entries = material.packages["ca-certificates"].entries
    certificates = sorted(
        (entry.path, entry.content)
        for entry in entries
        if entry.path.startswith("usr/share/ca-certificates/") and entry.path.endswith(".crt")
    )
    return b"".join(content for _, content in certificates)
