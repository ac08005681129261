"""What a real BuildKit writes beside an image is read, whole or not, from a layout and from the engine itself."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from stageproof.checks import load
from stageproof.checks.subject import Subject
from stageproof.engine import private
from stageproof.engine.client import Engine
from stageproof.engine.home import Home
from stageproof.engine.images import Images
from stageproof.image import Image, Needles, sources
from stageproof.model import Finding, Verdict
from tests.engine.private.programs import copied

CANARY = "canary-9f2d41c8"
STATUS = "Package: tzdata\nStatus: install ok installed\nVersion: 2026a-1\n\n"
# BuildKit's "SBOM scanning protocol": a statement a file, whose subject BuildKit writes.
SBOM = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": "https://spdx.dev/Document",
        "predicate": {
            "spdxVersion": "SPDX-2.3",
            "SPDXID": "SPDXRef-DOCUMENT",
            "name": "it",
            "documentNamespace": "https://example.com/it",
            "dataLicense": "CC0-1.0",
            "creationInfo": {"created": "2026-11-23T00:00:00Z", "creators": ["Tool: test-1"]},
            "packages": [
                {
                    "SPDXID": "SPDXRef-tzdata",
                    "name": "tzdata",
                    "versionInfo": "2026a-1",
                    "downloadLocation": "NOASSERTION",
                }
            ],
        },
    }
)
GENERATE = 'read -r text < /sbom; echo "$text" > "$BUILDKIT_SCAN_DESTINATION/it.spdx.json"'
NOTHING = ("--provenance=false",)
WHOLE = ("--provenance=mode=max", "--sbom=generator=generator:1")


def build(engine: Engine, context: Path, *words: str) -> None:
    command = [*engine.buildx, "build", "--quiet", *words, str(context)]
    subprocess.run(command, env=engine.environment(), check=True, capture_output=True)


def context_of(folder: Path, *lines: str, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in {**files, "Dockerfile": "\n".join(lines)}.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def engine(home: Home, tmp_path: Path) -> Engine:
    """Give an engine of the containerd store, with a generator of SBOMs and something to build."""
    engine = private.start(home=home, store="containerd")
    folder = tmp_path / "generator"
    entry = 'ENTRYPOINT ["/usr/bin/dash", "/generate"]'
    lines = ["FROM scratch", *copied(home, folder, "dash"), "COPY sbom generate /", entry]
    build(engine, context_of(folder, *lines, sbom=SBOM + "\n", generate=GENERATE), "--tag=generator:1", *NOTHING)
    # An argument before the first FROM stands in no history: only provenance tells it.
    lines = ["ARG TOKEN", "FROM scratch", "COPY true /app/", "COPY tzdata /var/lib/dpkg/status.d/"]
    app = context_of(tmp_path / "app", *lines, 'ENTRYPOINT ["/app/true"]', tzdata=STATUS)
    shutil.copy(home.root / "usr/bin/true", app)
    return engine


def read(source: Path, cache: Path) -> Image:
    return sources.read([str(source)], cache=cache, needles=Needles.of(CANARY))[str(source)][0]


def built(engine: Engine, folder: Path, *words: str, name: str = "it:1") -> Image:
    named = f",name={name}" if name else ""
    build(engine, folder / "app", *words, f"--output=type=oci,dest={folder / 'it.tar'}{named}")
    return read(folder / "it.tar", folder / "cache")


def decide(claim: str, image: Image, **parameters: str) -> Finding:
    return load(claim).check(Subject(image, canary=CANARY), **parameters)


def test_what_buildkit_attaches_is_judged_as_it_was_asked_for(engine: Engine, tmp_path: Path) -> None:
    whole = built(engine, tmp_path, *WHOLE)
    assert decide("sbom-attached", whole).verdict is Verdict.PASS
    assert decide("provenance-attached", whole).message.endswith("https://slsa.dev/provenance/v0.2")
    assert decide("no-canary", whole).verdict is Verdict.PASS

    least = built(engine, tmp_path, "--provenance=mode=min", f"--build-arg=TOKEN={CANARY}")
    assert decide("sbom-attached", least).verdict is Verdict.FAIL
    assert decide("provenance-attached", least).verdict is Verdict.FAIL
    assert decide("provenance-attached", least, mode="min").verdict is Verdict.PASS
    assert decide("no-canary", least).verdict is Verdict.PASS

    leaking = built(engine, tmp_path, "--provenance=mode=max,version=v1", f"--build-arg=TOKEN={CANARY}")
    assert decide("provenance-attached", leaking).message.endswith("https://slsa.dev/provenance/v1")
    assert "what is attached" in decide("no-canary", leaking).evidence[0].text

    nameless = decide("sbom-attached", built(engine, tmp_path, *WHOLE, name=""))
    assert nameless.verdict is Verdict.FAIL
    assert "is about nothing" in nameless.evidence[0].text

    build(engine, tmp_path / "app", *WHOLE, "--tag=it:2")
    with closing(engine.connect()) as client:
        of_engine = sources.read(["it:2"], cache=tmp_path / "cache", engine=lambda: Images(client))["it:2"][0]
    assert decide("sbom-attached", of_engine).verdict is Verdict.PASS
    assert decide("provenance-attached", of_engine).verdict is Verdict.PASS
    assert decide("signature-valid", of_engine).verdict is Verdict.UNKNOWN
