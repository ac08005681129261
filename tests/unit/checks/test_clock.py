"""Whether another clock can be shown to an image's program is seen in the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from stageproof import checks, faketime, recording
from stageproof.checks.subject import Subject
from stageproof.live import Live
from stageproof.model import Verdict

if TYPE_CHECKING:
    from tests.unit.conftest import Images

GLIBC = "/lib64/ld-linux-x86-64.so.2"
MUSL = "/lib/ld-musl-x86_64.so.1"
STARTS_NOTHING = cast("Live", object())


def test_the_claim_says_nothing_about_a_static_program(images: Images) -> None:
    finding = checks.load("wrong-clock").check(Subject(images.app(), live=STARTS_NOTHING))
    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert "/app/run is static" in finding.message


@pytest.mark.parametrize(("loader", "told"), [(GLIBC, ""), (MUSL, "/app/py is linked to musl")])
@pytest.mark.parametrize("entrypoint", ["/app/py", "/app/script"])
def test_the_library_is_for_programs_of_glibc_and_their_scripts(
    images: Images, loader: str, told: str, entrypoint: str
) -> None:
    program = images.file("app/py", images.elf(loader), 0o755)
    script = images.file("app/script", b"#!/app/py -I\n", 0o755)
    image = images.app(program, script, Entrypoint=[entrypoint])
    assert faketime.obstacle(image).startswith(told)
    assert bool(faketime.obstacle(image)) == bool(told)


def test_what_cannot_be_seen_in_the_image_is_no_obstacle(images: Images) -> None:
    assert faketime.obstacle(images.app(Entrypoint=["/absent"])) == ""
    assert faketime.obstacle(images.app(images.file("text", b"text"), Entrypoint=["/text"])) == ""


def test_the_image_keeps_the_libraries_that_it_loads_itself(images: Images) -> None:
    assert faketime.shifted(images.app(), 3)["LD_PRELOAD"] == faketime.LIBRARY
    own = images.app(Env=["LD_PRELOAD=/usr/lib/libjemalloc.so.2"])
    assert faketime.shifted(own, 3)["LD_PRELOAD"] == f"{faketime.LIBRARY}:/usr/lib/libjemalloc.so.2"


def test_a_claim_that_costs_an_image_is_only_asked_where_it_is_named() -> None:
    asked = {claim.id for claim in recording.everything().claims}
    assert set(checks.names()) - asked == {"wrong-clock"} == set(recording.on_request())
