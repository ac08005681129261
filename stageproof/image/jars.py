"""What a jar says that it is: the coordinates that Maven writes into it, or its manifest.

Forms: Maven's `META-INF/maven/<group>/<artifact>/pom.properties`, and the attributes of the JAR File Specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stageproof.image import zips

MANIFEST = "META-INF/MANIFEST.MF"
ENDINGS = (".jar", ".war", ".ear")
_FILE_NAME = re.compile(r"(.+?)-(\d[^/]*)\.jar")
_POM = re.compile(r"META-INF/maven/[^/]+/[^/]+/pom\.properties")
_LARGEST_TEXT = 1 << 20
_MOST_LINES, _MOST_PACKAGES = 10_000, 5000
_LONGEST = 512


class Jar:
    """Collects what the members of a jar say about it, and about the jars inside of it."""

    def __init__(self, name: str) -> None:
        self._file_name = name
        self._coordinates: dict[tuple[str, str], None] = {}
        self._has_own = False
        self._named: tuple[str, str] | None = None

    def add(self, name: str, content: bytes) -> None:
        """Take in a member."""
        if name == MANIFEST:
            self._named = _of_manifest(content)
        elif name.endswith("pom.properties") and _POM.fullmatch(name):
            self._has_own = True
            self._coordinates.update(dict.fromkeys(_of_pom(content)))
        elif name.endswith(".jar"):
            inner = Jar(name.rpartition("/")[2])
            for path, data in zips.some(content, lambda path: path == MANIFEST or path.endswith("/pom.properties")):
                inner.add(path, data)
            self._coordinates.update(dict.fromkeys(inner.packages()))

    def packages(self) -> tuple[tuple[str, str], ...]:
        """Give (name, version) of everything in it; names as `group:artifact` where Maven wrote them.

        Without coordinates the file's name tells more than the manifest, which often names a product.
        """
        own = of_file_name(self._file_name) or self._named
        found = dict(self._coordinates) if self._has_own or own is None else {own: None, **self._coordinates}
        return tuple(found)[:_MOST_PACKAGES]


def of_file_name(name: str) -> tuple[str, str] | None:
    """Read `name-1.2.3.jar`; None where it is not called so."""
    match = _FILE_NAME.fullmatch(name[:_LONGEST])
    return (match[1], match[2]) if match else None


def _of_pom(content: bytes) -> Iterator[tuple[str, str]]:
    fields = _fields(content, "=")
    group, artifact, version = fields.get("groupId"), fields.get("artifactId"), fields.get("version")
    if group and artifact and version:
        yield f"{group}:{artifact}", version


def _of_manifest(content: bytes) -> tuple[str, str] | None:
    # A line of more than 72 bytes goes on in the next, which begins with a blank.
    fields = _fields(re.sub(rb"\r?\n ", b"", content[:_LARGEST_TEXT]), ":")
    name = fields.get("Bundle-SymbolicName", "").partition(";")[0] or fields.get("Implementation-Title")
    version = fields.get("Bundle-Version") or fields.get("Implementation-Version")
    return (name, version) if name and version else None


def _fields(content: bytes, mark: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in content[:_LARGEST_TEXT].decode("utf-8", "replace").splitlines()[:_MOST_LINES]:
        key, _, value = line.partition(mark)
        fields.setdefault(key.strip()[:_LONGEST], value.strip()[:_LONGEST])
    return fields
