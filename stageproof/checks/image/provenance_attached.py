"""`provenance-attached`: how the image was built stands beside it, in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stageproof.checks import attached, stated
from stageproof.checks.subject import Says, Subject, failed, passed, unknown
from stageproof.image.attestations import Statement
from stageproof.model import Evidence, Finding

ID = "provenance-attached"
CLAIM = "has its provenance attached"
BROKEN = "has no provenance attached that tells its whole build"
WHY = "without it nobody can tell from which source, on which bases and with which arguments the image was built"
DO = "docker buildx build --tag NAME --provenance mode=max --output type=oci,dest=FILE (or --push)"
V02, V1 = "https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1"
MODES = ("max", "min")
BUILDKIT = (
    "https://mobyproject.org/buildkit@v1",
    "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
)
"""BuildKit's build types, of SLSA v0.2 and v1; only for these is it known what mode=max writes."""
_WHERE = {
    True: (
        ("buildDefinition", "internalParameters", "buildConfig", "llbDefinition"),
        ("runDetails", "metadata", "buildkit_completeness", "request"),
    ),
    False: (("buildConfig", "llbDefinition"), ("metadata", "completeness", "parameters")),
}
"""Where SLSA v1, or else v0.2, has the steps of the build, and whether its arguments are all there."""


def check(subject: Subject, mode: str = "max") -> Finding:
    """Decide the claim by the SLSA statements; `mode` is what BuildKit calls it: `max`, or `min` for any provenance."""
    if mode not in MODES:
        raise stated.refused(ID, f"there is no mode {mode!r}; known: {', '.join(MODES)}")
    good = attached.statements(ID, Says(CLAIM, BROKEN, DO), subject, (V02, V1))
    if isinstance(good, Finding):
        return good
    gaps = {one.digest: [*_gaps(one, mode)] for one in good}
    whole = next((one for one in good if not gaps[one.digest]), None)
    if whole is not None:
        return passed(ID, f"{CLAIM}, mode={mode}: {whole.predicate_type[:100]}")
    foreign = {_build_type(one) for one in good} - {*BUILDKIT, ""}
    if foreign:
        seen = [Evidence(f"it was written by another builder than BuildKit: {min(foreign)[:200]}")]
        return unknown(ID, "could not be shown that it has its whole build attached", seen, 'mode = "min" asks for any')
    return failed(ID, BROKEN, [Evidence(f"{digest} {gap}") for digest in gaps for gap in gaps[digest]], DO)


def _gaps(one: Statement, mode: str) -> Iterator[str]:
    """Say what is missing; the fields of mode=max are those of BuildKit's "SLSA definitions"."""
    if not _build_type(one):
        yield "says nothing of how the image was built: it has no buildType"
    elif mode == "max":
        build, complete = _WHERE[one.predicate_type == V1]
        if not _at(one, *build):
            yield f"has no steps of the build: {'.'.join(build)}"
        if _at(one, *complete) is not True:
            yield f"does not have all arguments of the build: {'.'.join(complete)} is not true"


def _build_type(one: Statement) -> str:
    found = _at(one, "buildDefinition", "buildType") if one.predicate_type == V1 else _at(one, "buildType")
    return found if isinstance(found, str) else ""


def _at(one: Statement, *keys: str) -> object:
    here: object = one.predicate
    for key in keys:
        here = here.get(key) if isinstance(here, Mapping) else None
    return here
