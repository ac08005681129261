"""`licences-present`: the licence of every installed package is in the image."""

from __future__ import annotations

from stageproof.checks.subject import Subject, failed, not_applicable, passed
from stageproof.image import Image, debian_sums
from stageproof.model import Evidence, Finding

CLAIM = "holds the licence of every distribution package"
BROKEN = "lacks licences of distribution packages"
WHY = "nearly every licence asks that its text goes with the copies: who pulls the image gets one"
DO = "keep /usr/share/doc/*/copyright when documentation is removed, or put the texts below /licenses"
PLACES = ("/usr/share/doc/{name}/copyright", "/usr/share/doc/{name}/copyright.gz", "/licenses/{name}")
"""Debian Policy 12.5; Red Hat's preflight for the last."""


def check(subject: Subject) -> Finding:
    """Decide the claim for each Debian package: its copyright file, or that of a package built from the same source."""
    sources = debian_sums.installed(subject.image)
    if not sources:
        return not_applicable("licences-present", "holds no package of Debian, whose licences have a known place")
    there = {name for name in sources if _has_licence(subject.image, name)}
    covered = {sources[name] for name in there}
    missing = [name for name in sorted(sources) if name not in there and sources[name] not in covered]
    if missing:
        seen = [Evidence(f"no licence of the package {name}", f"/usr/share/doc/{name}/copyright") for name in missing]
        return failed("licences-present", BROKEN, seen, DO)
    return passed("licences-present", f"{CLAIM}: {len(sources)}")


def _has_licence(image: Image, name: str) -> bool:
    for place in PLACES:
        entry = image.resolve(place.format(name=name))
        if entry is not None and (entry.size if entry.is_file else any(each.size for each in image.walk(entry.path))):
            return True
    return False
