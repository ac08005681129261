"""`sbom-attached`: a bill of materials stands beside the image, is about it, and lists what it holds."""

from __future__ import annotations

from collections.abc import Iterable

from stageproof.checks import attached
from stageproof.checks.subject import Says, Subject, failed, passed, unknown
from stageproof.image import sbom
from stageproof.image.packages import installed
from stageproof.model import Evidence, Finding

ID = "sbom-attached"
CLAIM = "has an SBOM attached that lists packages which it holds"
BROKEN = "has no SBOM attached that lists packages which it holds"
WHY = "whoever asks which images have a bad version of a library asks their SBOMs; an absent or foreign one says none"
DO = "docker buildx build --tag NAME --sbom true --output type=oci,dest=FILE (or --push)"
SHOWN = 3


def check(subject: Subject) -> Finding:
    """Decide the claim by the in-toto statements of SPDX and CycloneDX that stand beside the image's manifest."""
    good = attached.statements(ID, Says(CLAIM, BROKEN, DO), subject, (sbom.SPDX, sbom.CYCLONEDX))
    if isinstance(good, Finding):
        return good
    there = sbom.of_image(installed(subject.image))
    if not there:
        seen = [Evidence("no package is installed in it by any record that is read, so that there is none to compare")]
        return unknown(ID, f"could not be shown that it {CLAIM}", seen, "compare it by hand")
    lists = [sbom.listed(one.predicate) for one in good]
    held = {there[key] for each in lists for key in each if key in there}
    if not held:
        seen = [Evidence(f"{one.digest} lists {_shown(each)}") for one, each in zip(good, lists, strict=True)]
        return failed(ID, BROKEN, [*seen, Evidence(f"the image holds {_shown(there)}")], DO)
    return passed(
        ID, f"has an SBOM attached that lists {len(held)} of the {len(set(there.values()))} packages it holds"
    )


def _shown(names: Iterable[sbom.Named]) -> str:
    known = sorted(names)
    first = ", ".join(f"{name} {version}"[:100] for name, version in known[:SHOWN])
    more = f", and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return f"{first}{more}" if known else "no package"
