"""On the odd images that other tools are compared with, our own answers are right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import docker.errors
import pytest

from benchmarks import odd_images, peer_tools
from benchmarks.odd_images import Case
from benchmarks.peer_tools import Answer, Asked
from stageproof import helper
from stageproof.engine.client import Engine
from stageproof.errors import HelperError
from stageproof.live import Run, remove_run

CASES = {case.id: case for case in odd_images.read()}


@pytest.fixture(scope="module")
def busybox(client: docker.DockerClient, engine: Engine) -> Iterator[bytes]:
    """Give a static busybox: that of the helper image."""
    run = Run.new()
    try:
        yield odd_images.busybox_of(client, helper.ensure(client, lambda: engine, run))
    except HelperError as error:
        pytest.skip(f"no helper image: {error}")
    finally:
        remove_run(client, run.id)


def asked(engine: Engine, image: str, case: Case) -> Answer:
    """Ask our command the case's question."""
    variables = peer_tools.environment(engine.host, dead=case.state == "dead engine")
    question = Asked(image, lambda: "", Path, case.dockerfile, variables)
    return peer_tools.stageproof(case.asks["stageproof"], question)


@pytest.mark.parametrize("name", CASES)
def test_the_answer_about_an_odd_image_is_right(
    client: docker.DockerClient, engine: Engine, busybox: bytes, tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    with odd_images.built(client, case, busybox, tmp_path) as image:
        answer = asked(engine, image, case)
    assert answer.text == case.right, answer.detail
    with pytest.raises(docker.errors.ImageNotFound):
        client.images.get(image)


def test_a_wrong_answer_would_be_seen(
    client: docker.DockerClient, engine: Engine, busybox: bytes, tmp_path: Path
) -> None:
    # The image of one case, and the question of another whose right answer is the contrary.
    shell, none = CASES["renamed-shell"], CASES["text-named-sh"]
    with odd_images.built(client, none, busybox, tmp_path) as image:
        assert asked(engine, image, shell).text == none.right != shell.right


def test_every_question_is_put_to_us_and_has_one_right_answer() -> None:
    assert len(CASES) == len(odd_images.read())
    for case in CASES.values():
        assert "stageproof" in case.asks
        assert case.right in {"yes", "no", peer_tools.COULD_NOT} or case.right.endswith(" MB")
