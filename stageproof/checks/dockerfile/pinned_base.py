"""`pinned-base`: every image that the Dockerfile takes from elsewhere is named with a version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Literal

from stageproof.checks.subject import Subject, failed, passed, unknown
from stageproof.dockerfile import Dockerfile
from stageproof.model import Evidence, Finding

CLAIM = "names every image that it takes from elsewhere with a version"
BROKEN = "takes images from elsewhere without saying which"
WHY = "the same Dockerfile then builds something else tomorrow, and nobody can say what changed"
DO = "FROM image:1.2.3, or image:1.2.3@sha256:..., which renovate and dependabot keep up to date"
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_TAG = re.compile(r":(?P<tag>[\w][\w.-]{0,127})$")
_MOUNTED = re.compile(r"(?:^|,)from=(?P<image>[^,]+)")


def check(subject: Subject, by: Literal["tag", "digest"] = "digest", allowed: Sequence[str] = ()) -> Finding:
    """Decide the claim for FROM, COPY --from, RUN --mount=from= and the syntax line; stages and scratch are none.

    `by` "tag" asks for a tag other than `latest`, or a digest; "digest" for a digest. `allowed` are patterns of the
    images that may be used at all; empty: any.
    """
    if subject.dockerfile is None:
        told = Evidence("the Dockerfile is not known, and an image does not tell how its base was named")
        return unknown("pinned-base", f"could not be shown that it {CLAIM}", [told], "give the Dockerfile")
    used = list(_used(subject.dockerfile))
    seen, open_ = [], []
    for image, line in used:
        if "$" in image:
            open_.append(Evidence(f"{image}: its argument has no default, and was not given", line=line))
        elif fault := _fault(image, by, allowed):
            seen.append(Evidence(f"{image} {fault}", line=line))
    if seen:
        return failed("pinned-base", BROKEN, [*seen, *open_], DO)
    if open_:
        return unknown("pinned-base", f"could not be shown that it {CLAIM}", open_, "give the build's arguments")
    names = ", ".join(dict.fromkeys(image for image, _ in used))
    return passed("pinned-base", f"{CLAIM}, by {by}: {names}" if names else "takes no image from elsewhere")


def _used(dockerfile: Dockerfile) -> Iterator[tuple[str, int]]:
    """Give the foreign images with their lines."""
    if syntax := dockerfile.directives.get("syntax"):
        yield syntax, 1
    own = {"scratch", "context"}
    for number, stage in enumerate(dockerfile.stages):
        if stage.image.lower() not in own:
            yield stage.image, stage.line
        own |= {stage.name, str(number)} - {""}
    for each in dockerfile.instructions:
        sources = [value for name, value in each.flags if name == "from"]
        mounts = [value for name, value in each.flags if name == "mount"]
        sources += [match["image"] for mount in mounts if (match := _MOUNTED.search(mount))]
        for image in sources:
            if image.lower() not in own and each.keyword in {"COPY", "ADD", "RUN"}:
                yield image, each.line


def _fault(image: str, by: str, allowed: Sequence[str]) -> str:
    if allowed and not any(fnmatchcase(image, form) for form in allowed):
        return "is not one of the images that are allowed"
    if _DIGEST.search(image):
        return ""
    tag = _TAG.search(image.rpartition("/")[2])
    if tag is None:
        return "has no tag"
    if tag["tag"] == "latest":
        return "has the tag latest, which is a new image every day"
    return "" if by == "tag" else "has no digest"
