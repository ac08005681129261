from __future__ import annotations

import json
from pathlib import Path

from stageproof.catalog import Catalog
from stageproof.engine import bake


def test_the_committed_bake_file_is_what_the_folders_say(project: Catalog, root: Path) -> None:
    assert (root / bake.FILE).read_text() == bake.text(bake.definition(project)), "run: invoke docs"


def test_every_target_names_a_context_and_a_dockerfile_that_exist(project: Catalog, root: Path) -> None:
    for target in json.loads((root / bake.FILE).read_text())["target"].values():
        context = root / target["context"]
        assert context.is_dir()
        assert (context / target.get("dockerfile", "Dockerfile")).is_file()
    assert project.recipes


def test_debug_is_the_distroless_file_with_another_tag(project: Catalog) -> None:
    targets = bake.definition(project)["target"]
    assert targets["go-debug"]["dockerfile"] == targets["go-distroless"]["dockerfile"]
    assert targets["go-debug"]["args"]["BASE_TAG"] == "debug-nonroot"


def test_recipes_of_one_dockerfile_share_their_test_target(project: Catalog) -> None:
    tests = bake.definition(project)["group"]["test"]["targets"]
    assert "go-distroless-test" in tests
    assert "go-debug-test" not in tests


def test_stand_ins_are_named_contexts_of_the_targets_that_use_them(project: Catalog) -> None:
    added = bake.Additions(contexts={"golang:1.27-trixie": "docker-image://stageproof/golang:1"})
    targets = bake.additions(project, project.select("go", "distroless"), added)["target"]
    assert targets["go-distroless"]["contexts"] == {"golang:1.27-trixie": "docker-image://stageproof/golang:1"}


def test_a_company_ca_lies_over_the_stage_sdk_and_over_nothing_else(project: Catalog, tmp_path: Path) -> None:
    added = bake.Additions(contexts={}, ca_folder=tmp_path)
    targets = bake.additions(project, project.select("python", "multistage"), added)["target"]
    assert targets["python-multistage"]["contexts"] == {"sdk": "target:sdk-python-3-13-slim-trixie"}
    assert targets["sdk-python-3-13-slim-trixie"]["context"] == str(tmp_path)


def test_without_a_company_ca_nothing_replaces_the_stage_sdk(project: Catalog) -> None:
    targets = bake.additions(project, project.recipes, bake.Additions())["target"]
    assert not any("sdk" in target.get("contexts", {}) for target in targets.values())
