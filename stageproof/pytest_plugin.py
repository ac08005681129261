"""The pytest plugin: an image's index, a container of it and a testinfra host on that as fixtures; claims to prove.

Which images, `--image` says (more than once if need be), or the marker `image` on a test, a class or a module.
What is slow to import is imported when a fixture is first used: this file is read in every run of pytest.
"""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stageproof.errors import Error, ImageError, UsageError

if TYPE_CHECKING:
    from testinfra.host import Host

    from stageproof.checks.subject import Subject
    from stageproof.image import Image
    from stageproof.live import Container, Options
    from stageproof.model import Claim, Finding
    from stageproof.testinfra.inside import Inside

OPTION, MARKER, SOURCE = "stageproof_images", "image", "image_source"
OPENED = "stageproof.testinfra.opened"
OTHER_HOST = "_testinfra_host"
"""What testinfra's own `host` takes: it is about another machine."""
NEAR = pytest.StashKey[set[str]]()
"""The modules and classes that have our `host` already."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the images."""
    parser.getgroup("stageproof", "container images").addoption(
        "--image",
        action="append",
        default=[],
        dest=OPTION,
        metavar="SOURCE",
        help="ask every test that takes image, container, host or prove about this image; may be given again",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the marker, and testinfra of the backends."""
    config.addinivalue_line(
        "markers", f"{MARKER}(source, ...): the images that image, container, host and prove are about, without --image"
    )
    import stageproof.testinfra  # noqa: F401, PLC0415 -- registers the backends


def pytest_unconfigure() -> None:
    """Remove what hosts by address have started or opened."""
    if OPENED in sys.modules:
        sys.modules[OPENED].close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Let our `host` take the place of testinfra's, with --image: of the fixtures of plug-ins the last one counts."""
    if session.config.getoption(OPTION):
        pytest.register_fixture(name="host", func=_host, node=session, scope="module")


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Module | pytest.Class) -> None:
    """Put our `host` near the tests of a module or class that names its images: the nearest fixture counts."""
    near = collector.config.stash.setdefault(NEAR, set())
    if collector.nodeid not in near and collector.get_closest_marker(MARKER):
        near.add(collector.nodeid)
        pytest.register_fixture(name="host", func=_host, node=collector, scope="module")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask every test about every image."""
    if OTHER_HOST in metafunc.fixturenames and metafunc.definition.get_closest_marker(MARKER):
        message = f"{metafunc.definition.nodeid}: host is not about the image; mark its class or module (pytestmark)"
        raise pytest.UsageError(message)
    if SOURCE in metafunc.fixturenames and (sources := _sources(metafunc)):
        metafunc.parametrize(SOURCE, sources, ids=sources, indirect=True, scope="session")


def _sources(metafunc: pytest.Metafunc) -> list[str]:
    marked = [source for mark in metafunc.definition.iter_markers(MARKER) for source in mark.args]
    return list(dict.fromkeys(metafunc.config.getoption(OPTION) or marked))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell an error of ours in its four parts, not as a traceback."""
    report = yield
    if call.excinfo and isinstance(call.excinfo.value, Error):
        report.longrepr = str(call.excinfo.value)
    return report


@pytest.fixture(scope="session")
def image_source(request: pytest.FixtureRequest) -> str:
    """Give the image's name, or the path of its archive, as it was named."""
    if not hasattr(request, "param"):
        failed = "no image was named"
        raise UsageError(failed, why="this test is about one", do="pytest --image NAME, or @pytest.mark.image(NAME)")
    return str(request.param)


@pytest.fixture(scope="session")
def image(image_source: str, request: pytest.FixtureRequest) -> Image:
    """Give what is in the image: its index, of one reading for all tests, workers and later runs."""
    together = request.config.getoption(OPTION)
    return _read(tuple(together) if image_source in together else (image_source,))[image_source]


@cache
def _read(sources: tuple[str, ...]) -> dict[str, Image]:
    """Read images, one process after the other: what the first has read, the others find on disk."""
    from stageproof import inspection  # noqa: PLC0415 -- imports the engine's client

    try:
        with _alone(inspection.cache_folder()):
            return {source: _index(source, found) for source, found in _images(sources).items()}
    except ImageError:
        if len(sources) == 1:
            raise
        # One that cannot be read must not keep the others from being asked about.
        return _Separately(sources)


def _images(sources: tuple[str, ...]) -> dict[str, list[Image]]:
    from stageproof import inspection  # noqa: PLC0415 -- imports the engine's client
    from stageproof.engine import images  # noqa: PLC0415 -- the same
    from stageproof.image import sources as reading  # noqa: PLC0415 -- the same

    with ExitStack() as undo:

        def engine() -> images.Images:
            client = images.reach()
            undo.callback(client.close)
            return images.Images(client)

        return reading.read(sources, cache=inspection.cache_folder(), engine=engine)


class _Separately(dict[str, "Image"]):
    """Reads each image when it is asked for."""

    def __init__(self, sources: tuple[str, ...]) -> None:
        super().__init__()
        self._sources = sources

    def __missing__(self, source: str) -> Image:
        return _read((source,))[source]


def _index(source: str, found: Sequence[Image]) -> Image:
    if len(found) == 1:
        return found[0]
    failed = f"{source} holds {len(found)} images"
    raise ImageError(failed, seen=", ".join(each.source for each in found), why="a test is about one", do="split it")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "reading.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def container_options() -> Options:
    """Say how the container is started; a project's own fixture of this name says otherwise."""
    from stageproof.testinfra.opened import LIMITED  # noqa: PLC0415 -- imports the engine's client

    return LIMITED


@pytest.fixture(scope="module")
def inside_container(image_source: str, container_options: Options) -> Iterator[Inside]:
    """Start a container of the image, with a helper beside it, and remove both when the module's tests are over."""
    from stageproof.image import sources as reading  # noqa: PLC0415 -- slow to import
    from stageproof.live import sigterm_as_interrupt  # noqa: PLC0415 -- imports the engine's client
    from stageproof.testinfra.opened import started  # noqa: PLC0415 -- the same

    if not reading.needs_engine(image_source):
        failed = f"{image_source} cannot be started"
        raise UsageError(failed, why="an archive is only read", do="docker load it, and name the image")
    with sigterm_as_interrupt(), started(image_source, options=container_options) as inside:
        yield inside


@pytest.fixture(scope="module")
def container(inside_container: Inside) -> Container:
    """Give a running container of the image: something listens in it already, if the image exposes a TCP port."""
    return inside_container.container


def _host(inside_container: Inside) -> Host:
    """Give a testinfra host on a container of the image, whatever the image lacks."""
    try:
        from stageproof.testinfra.backend import host_of  # noqa: PLC0415 -- testinfra is optional
    except ModuleNotFoundError as error:
        failed = "there is no testinfra, which the fixture host is made of"
        raise UsageError(failed, seen=str(error), do="pip install 'stageproof[testinfra]'") from error
    return host_of(inside_container)


@pytest.fixture(scope="module")
def running_subject(image_source: str) -> Iterator[Callable[[], Subject]]:
    """Give the image as the subject of claims about a running container; it is started for the first of them."""
    with ExitStack() as undo:
        yield cache(lambda: undo.enter_context(_subject(image_source, (), run=True)))


@contextmanager
def _subject(source: str, claims: tuple[Claim, ...], *, run: bool) -> Iterator[Subject]:
    from stageproof import inspection  # noqa: PLC0415 -- imports the engine's client
    from stageproof.contract import Contract  # noqa: PLC0415 -- the same
    from stageproof.order import Order  # noqa: PLC0415 -- the same

    order = Order(sources=[source], contract=Contract("", "", claims), run=run)
    with ExitStack() as undo:
        with _alone(inspection.cache_folder()):
            (found,) = undo.enter_context(inspection.opened(order))
        yield undo.enter_context(found.subject())


@pytest.fixture
def prove(image_source: str, image: Image, running_subject: Callable[[], Subject]) -> Callable[..., Finding]:
    """Give a function that proves a claim about the image, by its id and parameters, and fails the test otherwise."""

    def prove_(claim: str, **parameters: Any) -> Finding:  # noqa: ANN401 -- whatever the check takes
        from stageproof import verify  # noqa: PLC0415 -- imports every check
        from stageproof.checks import stated  # noqa: PLC0415 -- the same
        from stageproof.checks.subject import Subject  # noqa: PLC0415 -- the same
        from stageproof.model import Claim  # noqa: PLC0415 -- the same
        from stageproof.report import sentences  # noqa: PLC0415 -- the same

        asked = Claim(claim, parameters)
        with ExitStack() as undo:
            if verify.needs_container(claim):
                subject = running_subject()
            elif stated.texts(asked):
                subject = undo.enter_context(_subject(image_source, (asked,), run=False))
            else:
                subject = Subject(image)
            finding = verify.decide(asked, subject)
        if finding.verdict not in verify.KEPT and not verify.is_reported_only(asked):
            pytest.fail(sentences.failure(image_source, finding), pytrace=False)
        return finding

    return prove_
