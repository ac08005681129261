"""The builder's own checks of every Dockerfile: the same that `docker build --check` shows."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stageproof import workbench
from stageproof.catalog import Catalog
from stageproof.engine import bake, bases
from stageproof.engine.client import Engine


def checked(engine: Engine, root: Path, contexts: dict[str, str], *targets: str, extra: Path) -> dict[str, Any]:
    """Ask the builder; give what it says of each target."""
    extra.write_text(json.dumps({"target": {name: {"contexts": contexts} for name in targets}}))
    command = [*engine.buildx, "bake", "-f", bake.FILE, "-f", str(extra), "--allow", f"fs.read={extra.parent}"]
    command += ["--call", "check,format=json", *targets]
    done = subprocess.run(command, cwd=root, env=engine.environment(), capture_output=True, text=True, check=False)
    targets_told: dict[str, Any] = json.JSONDecoder().raw_decode(done.stdout.lstrip())[0]["target"]
    return {name: told["check"] for name, told in targets_told.items()}


def complaints(check: dict[str, Any]) -> list[str]:
    """Name the rules that are broken; what could not be looked at is a complaint as well."""
    broken = [f"{one['ruleName']}: {one['detail']}" for one in check.get("warnings") or []]
    return broken + ([check["error"]] if check.get("error") else [])


@pytest.fixture(scope="module")
def contexts(engine: Engine, project: Catalog) -> dict[str, str]:
    """Give what stands for the bases here, so that the builder finds them."""
    references = [reference for recipe in project.recipes for reference in recipe.bases]
    references += [reference for base in project.bases for reference in base.references]
    cache = workbench.cache_folder()
    chosen = bases.choose("auto", references, project, engine, ca_bundle=None, cache=cache, progress=lambda _: None)
    return dict(chosen.contexts)


def test_every_dockerfile_is_clean(engine: Engine, root: Path, contexts: dict[str, str], tmp_path: Path) -> None:
    targets = json.loads((root / bake.FILE).read_text())["target"]
    told = checked(engine, root, contexts, *targets, extra=tmp_path / "contexts.json")
    assert set(told) == set(targets)
    assert {name: complaints(check) for name, check in told.items() if complaints(check)} == {}


@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:9"], ids=["without a proxy", "with a proxy"])
def test_the_builder_takes_what_a_run_adds(
    engine: Engine, project: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    if proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
    added = bake.additions(project, project.recipes, bake.Additions(contexts={}, ca_folder=tmp_path))
    (tmp_path / "added.json").write_text(json.dumps(added))
    command = [*engine.buildx, "bake", "-f", bake.FILE, "-f", str(tmp_path / "added.json"), "--print", "go-plain"]
    environment = engine.environment() | bake.proxies()
    done = subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["target"]["go-plain"].get("args", {}).get("HTTPS_PROXY", "") == proxy


def test_a_fault_is_told(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch as one\nENTRYPOINT run it\n")
    (tmp_path / bake.FILE).write_text(json.dumps({"target": {"bad": {"context": "."}}}))
    told = checked(engine, tmp_path, {}, "bad", extra=tmp_path / "contexts.json")
    assert {line.split(":")[0] for line in complaints(told["bad"])} == {"FromAsCasing", "JSONArgsRecommended"}
