"""`unit-tests-pass`: the unit tests pass in the Dockerfile's stage `test`."""

from __future__ import annotations

from stageproof.checks.subject import ELSEWHERE, Subject, failed, not_applicable, passed, unknown
from stageproof.model import Evidence, Finding

CLAIM = "has unit tests that pass in its stage `test`"
BROKEN = "has unit tests that do not pass in its stage `test`"
WHY = "the tests run with the compiler and the libraries that made the image, not with those of somebody's machine"


def check(subject: Subject) -> Finding:
    """Decide the claim by whether the target `test` built: it runs the tests, and fails with them."""
    if subject.elsewhere:
        return not_applicable("unit-tests-pass", ELSEWHERE)
    if subject.unit_tests is None:
        seen = [Evidence("the target `test` was not built")]
        return unknown("unit-tests-pass", f"could not be shown that it {CLAIM}", seen, "build the target `test` too")
    if not subject.unit_tests:
        return failed(
            "unit-tests-pass", BROKEN, [Evidence("the target `test` did not build")], "read the end of its build log"
        )
    return passed("unit-tests-pass", CLAIM)
