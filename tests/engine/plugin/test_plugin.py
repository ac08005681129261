"""The pytest plugin in somebody's project."""

from __future__ import annotations

import io
import json
import signal
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from stageproof.live.run import Run
from stageproof.live.wait import until
from tests.engine.plugin.conftest import Project

Digest = Callable[[str], str]

SERVICE = """
    import pytest

    def test_index(image):
        assert image.resolve("/app/qr") is not None

    def test_host(host, container, image_source):
        assert host.file("/app/qr").is_executable
        assert host.socket("tcp://8080").is_listening
        assert host.process.get(pid=1).comm == "qr"
        assert host.backend.NAME == "stageproof"
        assert container.state().running
        assert container.image == image_source

    def test_no_shell(prove):
        finding = prove("no-shell")
        assert (finding.claim, finding.verdict) == ("no-shell", "pass")

    def test_serves(prove):
        assert prove("listens-everywhere").verdict == "pass"
        assert prove("read-only-root").verdict == "pass"
"""


def test_every_test_is_asked_about_every_image(project: Project, digest: Digest) -> None:
    project.write("test_service.py", SERVICE)
    lean, fat = digest("go-distroless"), digest("go-multistage")
    ran = project.pytest("--image", lean, "--image", fat)
    tests = ("test_index", "test_host", "test_no_shell", "test_serves")
    expected = {f"{test}[{image}]": "passed" for test in tests for image in (lean, fat)}
    assert ran.outcomes == expected | {f"test_no_shell[{fat}]": "failed"}, ran.output
    assert ran.code == 1


def test_a_claim_that_does_not_hold_fails_with_what_was_seen_and_what_to_do(project: Project, digest: Digest) -> None:
    project.write("test_shell.py", 'def test_it(prove):\n    prove("no-shell")\n')
    ran = project.pytest("--image", digest("go-multistage"))
    assert list(ran.outcomes.values()) == ["failed"]
    assert "contains a shell" in ran.output
    assert "/usr/bin/dash" in ran.output
    assert "  do     " in ran.output
    assert "Traceback" not in ran.output


def test_a_claim_takes_its_parameters(project: Project, digest: Digest) -> None:
    project.write(
        "test_claims.py",
        """
        def test_too_low(prove):
            prove("layer-count", most=1)

        def test_only_reported(prove):
            assert prove("layer-count", most=1, report=True).verdict == "fail"

        def test_stated(prove):
            prove("files-as-stated", files=[{"path": "/etc/os-release", "contains": ["PRETTY_NAME"]}])
            prove("files-as-stated", files=[{"path": "/etc/os-release", "contains": ["no such text"]}])

        def test_unknown_claim(prove):
            prove("no-such-claim")

        def test_unknown_parameter(prove):
            prove("no-shell", colour="blue")
        """,
    )
    ran = project.pytest("--image", digest("go-distroless"))
    assert {name.partition("[")[0]: outcome for name, outcome in ran.outcomes.items()} == {
        "test_too_low": "failed",
        "test_only_reported": "passed",
        "test_stated": "failed",
        "test_unknown_claim": "failed",
        "test_unknown_parameter": "failed",
    }
    assert "no such text" in ran.output
    assert "there is no check 'no-such-claim'" in ran.output
    assert "has no parameter colour" in ran.output


def test_without_an_image_testinfras_host_is_its_own(project: Project) -> None:
    project.write(
        "test_local.py", 'def test_it(host):\n    assert host.backend.NAME == "local"\n    assert host.exists("sh")\n'
    )
    ran = project.pytest()
    assert ran.outcomes == {"test_it[local]": "passed"}, ran.output


def test_without_an_image_a_test_that_takes_one_is_an_error_that_says_how(project: Project) -> None:
    project.write("test_none.py", "def test_it(image):\n    pass\n")
    ran = project.pytest()
    assert ran.outcomes == {"test_it": "error"}
    assert "no image was named" in ran.output
    assert "pytest --image NAME" in ran.output


def test_a_module_and_a_class_can_name_their_images(project: Project, digest: Digest) -> None:
    lean, fat = digest("go-distroless"), digest("go-multistage")
    project.write(
        "test_marked.py",
        f"""
        import pytest

        pytestmark = pytest.mark.image("{lean}")

        def test_module(host, image):
            assert not host.exists("sh")

        class TestShell:
            def test_in_class(self, host):
                assert host.file("/app/qr").exists
        """,
    )
    project.write(
        "test_class.py",
        f"""
        import pytest

        @pytest.mark.image("{fat}", "{lean}")
        class TestBoth:
            def test_class(self, host, image_source):
                assert host.exists("sh") is (image_source == "{fat}")

        def test_local(host):
            assert host.backend.NAME == "local"
        """,
    )
    ran = project.pytest()
    assert ran.outcomes == {
        f"test_module[{lean}]": "passed",
        f"test_in_class[{lean}]": "passed",
        f"test_class[{fat}]": "passed",
        f"test_class[{lean}]": "passed",
        "test_local[local]": "passed",
    }, ran.output


def test_a_mark_that_cannot_reach_the_host_fixture_is_refused(project: Project) -> None:
    project.write("test_one.py", 'import pytest\n@pytest.mark.image("x")\ndef test_it(host):\n    pass\n')
    ran = project.pytest()
    assert ran.code != 0
    assert "host is not about the image; mark its class or module" in ran.output


def test_a_project_says_how_its_container_is_started(project: Project, digest: Digest) -> None:
    project.write(
        "test_options.py",
        """
        import pytest
        from stageproof.live import Options

        @pytest.fixture(scope="module")
        def container_options():
            return Options(user="1234567:0", read_only=True, drop_capabilities=True, env={"PORT": "9090"})

        def test_it(host, container):
            assert host.process.get(pid=1).uid == 1234567
            assert host.socket("tcp://9090").is_listening
            assert container.changed_files() == []
        """,
    )
    ran = project.pytest("--image", digest("go-distroless"))
    assert list(ran.outcomes.values()) == ["passed"], ran.output


def test_a_container_that_ends_at_once_is_an_error_with_its_last_lines(project: Project, digest: Digest) -> None:
    project.write(
        "test_ends.py",
        """
        import pytest
        from stageproof.live import Options

        @pytest.fixture(scope="module")
        def container_options():
            return Options(env={"PORT": "nonsense"})

        def test_it(host):
            assert not host.exists("sh")
        """,
    )
    ran = project.pytest("--image", digest("go-distroless"))
    assert list(ran.outcomes.values()) == ["error"]
    assert "the container ended with exit code 2" in ran.output
    assert "PORT" in ran.output


@pytest.mark.parametrize("test", ["test_index", "test_host"])
def test_an_image_that_is_not_there_is_an_error(project: Project, test: str) -> None:
    project.write("test_service.py", SERVICE)
    ran = project.pytest("--image", "stageproof-no-such", "-k", test)
    assert list(ran.outcomes.values()) == ["error"]
    assert "the engine has no image stageproof-no-such" in ran.output


def test_one_missing_image_does_not_keep_the_others_from_being_read(project: Project, digest: Digest) -> None:
    project.write("test_service.py", SERVICE)
    lean = digest("go-distroless")
    ran = project.pytest("--image", lean, "--image", "stageproof-no-such", "-k", "test_index")
    assert ran.outcomes == {f"test_index[{lean}]": "passed", "test_index[stageproof-no-such]": "error"}


def test_an_archive_is_read_without_an_engine_and_not_started(
    project: Project, client: docker.DockerClient, digest: Digest
) -> None:
    with (project.folder / "image.tar").open("wb") as file:
        for piece in client.images.get(digest("go-distroless")).save():
            file.write(piece)
    project.write("test_service.py", SERVICE)
    alone = Project(project.folder, project.environment | {"DOCKER_HOST": "unix:///nonexistent/docker.sock"})
    ran = alone.pytest("--image", "./image.tar", "-k", "not serves")
    assert ran.outcomes == {
        "test_index[./image.tar]": "passed",
        "test_no_shell[./image.tar]": "passed",
        "test_host[./image.tar]": "error",
    }, ran.output
    assert "an archive is only read" in ran.output


@pytest.fixture
def unread_image(client: docker.DockerClient) -> Iterator[str]:
    """Give an image with a layer that nobody has read."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        data = f"{Run.new().id} {time.time_ns()}".encode()
        member = tarfile.TarInfo("app")
        member.size, member.mode = len(data), 0o755
        tar.addfile(member, io.BytesIO(data))
    told = client.api.import_image_from_data(packed.getvalue(), changes=['ENTRYPOINT ["/app"]'])
    image = json.loads(told.splitlines()[-1])["status"]
    yield image
    client.images.remove(image, force=True)


def test_two_workers_read_an_image_once_and_a_second_run_not_at_all(
    project: Project, client: docker.DockerClient, unread_image: str
) -> None:
    project.write(
        "test_index.py",
        """
        def test_it(image, worker_id, tmp_path_factory):
            assert image.resolve("/app") is not None
            (tmp_path_factory.getbasetemp().parent / f"read-by-{worker_id}").touch()
        """,
    )
    options = ("--image", unread_image, "-n", "2", "--dist", "each", f"--basetemp={project.folder / 'made'}")
    with saves(client, unread_image) as seen:
        ran = project.pytest(*options)
        assert ran.code == 0, ran.output
        assert len(list((project.folder / "made").glob("read-by-*"))) == 2, "both workers asked"
        assert until(lambda: len(seen) == 1, 10)
        assert project.pytest(*options).code == 0
        # The engine tells its events in order: when it tells of this one, it has told of all before.
        b"".join(client.images.get(unread_image).save())
        assert until(lambda: len(seen) >= 2, 10)
        assert len(seen) == 2


@contextmanager
def saves(client: docker.DockerClient, image: str) -> Iterator[list[object]]:
    """Collect the engine's events of saving an image, as they come."""
    seen: list[object] = []
    events = client.events(filters={"type": "image", "event": "save", "image": image}, decode=True)

    def listen() -> None:
        for one in events:
            seen.append(one)  # noqa: PERF402 -- one by one, as they come

    ear = threading.Thread(target=listen, daemon=True)
    ear.start()
    yield seen
    events.close()
    ear.join(10)


def test_workers_share_out_the_tests_and_leave_nothing(
    project: Project, client: docker.DockerClient, digest: Digest
) -> None:
    for number in range(3):
        project.write(
            f"test_{number}.py",
            """
            import pathlib

            def test_it(host, container):
                assert host.file("/app/qr").exists
                pathlib.Path(container.id).touch()
            """,
        )
    ran = project.pytest("--image", digest("go-distroless"), "-n", "2")
    assert ran.code == 0, ran.output
    assert "3 passed" in ran.output
    containers = {one.name for one in project.folder.iterdir() if one.name.isalnum() and len(one.name) == 64}
    assert len(containers) == 3
    assert not containers & {one["Id"] for one in client.api.containers(all=True)}


def test_ctrl_c_removes_the_container(project: Project, client: docker.DockerClient, digest: Digest) -> None:
    project.write(
        "test_long.py",
        """
        import pathlib, time

        def test_it(container):
            pathlib.Path("started").write_text(container.id)
            pathlib.Path("started").rename("running")
            time.sleep(600)
        """,
    )
    with project.start("--image", digest("go-distroless")) as process:
        running = project.folder / "running"
        assert until(running.exists, 60)
        name = running.read_text()
        assert client.containers.get(name).status == "running"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    with pytest.raises(docker.errors.NotFound):
        client.containers.get(name)


def test_the_options_and_fixtures_are_told(project: Project) -> None:
    assert "--image=SOURCE" in project.pytest("--help").output
    assert "@pytest.mark.image(source, ...)" in project.pytest("--markers").output
    fixtures = project.pytest("--fixtures").output
    for name in ("image", "container", "prove", "container_options"):
        assert f"\n{name}" in fixtures


def test_a_folder_without_the_plugins_use_is_left_alone(project: Project, tmp_path: Path) -> None:
    project.write("test_plain.py", "import sys\ndef test_it():\n    assert 'docker' not in sys.modules\n")
    ran = project.pytest()
    assert ran.outcomes == {"test_it": "passed"}, ran.output
    assert not (tmp_path / "cache").exists()
