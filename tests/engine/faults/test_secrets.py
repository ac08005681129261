"""Secrets around a run: those of the process, of the registry and of the image are in nothing that is written."""

from __future__ import annotations

import base64
import io
import json
import secrets
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import zstandard

from stageproof.engine import bake
from tests.engine.faults.conftest import COMMAND, SERVICE, Lab, ended

FORMATS = ("terminal", "json", "junit", "sarif", "markdown", "ctrf", "github")
BUILD = """
from pathlib import Path
from stageproof.engine import bake, build, find
root = Path.cwd()
call = build.Call(find.ensure(lambda _: None), root, root / ".stageproof", {})
secret = ["id=token,src=token.txt"]
args = {name: "${" + name + "}" for name in bake.proxies()}
added = {"variable": {name: {"default": ""} for name in args}, "target": {"kept": {"secret": secret, "args": args}}}
outcome = build.build(call, added, [["kept"], ["broken"]], lambda _: None)
print(sorted(outcome.built), build.failure_text(outcome.failed["broken"]))
"""


@dataclass(frozen=True)
class Canaries:
    """Words that nobody else says."""

    process: str
    registry: str
    image: str
    build: str

    @classmethod
    def new(cls) -> Canaries:
        """Make them up."""
        return cls(*(f"canary{secrets.token_hex(8)}" for _ in range(4)))

    def environment(self, folder: Path) -> dict[str, str]:
        """Give them to a process: in its variables, and as the login of a registry."""
        login = base64.b64encode(f"somebody:{self.registry}".encode()).decode()
        (folder / "config.json").write_text(json.dumps({"auths": {"registry.invalid": {"auth": login}}}))
        return {"DOCKER_CONFIG": str(folder), "AWS_SECRET_ACCESS_KEY": self.process}

    def in_(self, *texts: str | bytes) -> list[str]:
        """Name those that are in a text, plain or as a login is written."""
        data = b"\n".join(text.encode() if isinstance(text, str) else text for text in texts)
        login = base64.b64encode(f"somebody:{self.registry}".encode())
        names = [name for name, word in vars(self).items() if word.encode() in data]
        return names + (["login"] if login in data else [])


@pytest.fixture
def canaries() -> Canaries:
    return Canaries.new()


@pytest.fixture
def secretive(lab: Lab, canaries: Canaries) -> Iterator[str]:
    """Build an image whose environment has a secret."""
    with lab.client() as client:
        text = f"FROM {SERVICE}\nENV API_TOKEN={canaries.image}\n"
        image, _ = client.images.build(fileobj=io.BytesIO(text.encode()), rm=True)
        yield str(image.id)
        client.images.remove(str(image.id))


def files_below(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Give every file, unpacked where it is packed."""
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            packed = data.startswith(zstandard.FRAME_HEADER)
            yield path, zstandard.ZstdDecompressor().decompress(data, max_output_size=1 << 30) if packed else data


@pytest.mark.parametrize("fault", ["none", "no engine"])
def test_no_report_and_no_error_has_a_secret(
    lab: Lab, canaries: Canaries, secretive: str, tmp_path: Path, fault: str
) -> None:
    environment = canaries.environment(tmp_path) | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    host = f"unix://{tmp_path}/none.sock" if fault == "no engine" else ""
    reports = tmp_path / "reports"
    reports.mkdir()
    formats = [part for each in FORMATS for part in ("--format", f"{each}:{reports / each}")]
    command = [sys.executable, "-c", COMMAND, "verify", secretive, "--contract", "any-image", *formats]
    process = subprocess.Popen(
        command,
        cwd=lab.folder,
        env=lab.environment(host, **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    code, out, err = ended(process)
    assert code == (1 if fault == "none" else 16), out + err
    assert "Traceback" not in err
    assert len(list(reports.iterdir())) == (len(FORMATS) if fault == "none" else 0)
    assert canaries.in_(out, err, *(data for _, data in files_below(reports))) == []
    if fault == "none":
        assert b"API_TOKEN" in (reports / "json").read_bytes(), "the finding names the variable"


def test_the_cache_has_of_secrets_only_what_the_images_own_configuration_says_and_nobody_else_may_read_it(
    lab: Lab, canaries: Canaries, secretive: str, tmp_path: Path
) -> None:
    environment = canaries.environment(tmp_path) | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-c", COMMAND, "verify", secretive, "--contract", "any-image"]
    done = subprocess.run(command, env=lab.environment(**environment), capture_output=True, check=False, timeout=60)
    assert done.returncode == 1, done.stderr
    found = {path: canaries.in_(data) for path, data in files_below(tmp_path / "cache")}
    assert found
    telling = {path for path, names in found.items() if names}
    assert {name for path in telling for name in found[path]} <= {"image"}
    assert {path.parent.name for path in telling} <= {"configs"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}


def test_no_log_and_no_record_of_a_build_has_a_secret(lab: Lab, canaries: Canaries, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (tmp_path / "token.txt").write_text(canaries.build)
    proxy = f"http://somebody:{canaries.process}@127.0.0.1:9"
    mount = "--mount=type=secret,id=token,mode=0444"
    see = '["/busybox", "grep", "-q", "canary", "/run/secrets/token"]'
    proxied = f'["/busybox", "sh", "-c", "test ${{#HTTPS_PROXY}} -eq {len(proxy)}"]'
    (tmp_path / "kept.Dockerfile").write_text(f"FROM {SERVICE}\nRUN {mount} {see}\nRUN {proxied}\n")
    (tmp_path / "broken.Dockerfile").write_text(f"FROM {SERVICE}\nRUN {see}\n")
    targets = {name: {"dockerfile": f"{name}.Dockerfile"} for name in ("kept", "broken")}
    (tmp_path / bake.FILE).write_text(json.dumps({"target": targets}))
    environment = lab.environment(
        PYTHONPATH=str(Path(__file__).parents[3]), https_proxy=proxy, **canaries.environment(own)
    )
    done = subprocess.run(
        [sys.executable, "-c", BUILD], cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"['kept'] broken did not build"), done.stdout
    written = dict(files_below(tmp_path / ".stageproof"))
    assert {"broken.log", "additions.json", "metadata.json"} >= {path.name for path in written} >= {"broken.log"}
    assert canaries.in_(done.stdout, done.stderr, *written.values()) == []
