from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stageproof import catalog
from stageproof.catalog import Catalog
from stageproof.engine import bake
from stageproof.engine.record import Build, Record
from stageproof.errors import CatalogError, UsageError
from stageproof.report import readme

STACK = """\
title = "Zig"
language = "Zig 1.0"
description = "an invented stack"
compiled = true
source-suffixes = [".zig"]
dev-packages = []
sdk = "golang:1.27-trixie"
limits = { memory-mb = 32, pids = 16, start-seconds = 3 }
[budgets]
plain = { disk-mb = 1000, pull-mb = 300 }
multistage = { disk-mb = 100, pull-mb = 30 }
distroless = { disk-mb = 10, pull-mb = 3 }
debug = { disk-mb = 12, pull-mb = 4 }
"""


@pytest.fixture
def invented(root: Path, tmp_path: Path) -> Path:
    """Give a copy of the project's folders with one stack more: two folders, and no edit elsewhere."""
    for name in ("bases", "dockerfiles"):
        shutil.copytree(root / name, tmp_path / name)
    for stack in root.glob("apps/*/stack.toml"):
        (tmp_path / "apps" / stack.parent.name).mkdir(parents=True)
        shutil.copy(stack, tmp_path / "apps" / stack.parent.name)
    (tmp_path / "apps/zig").mkdir()
    (tmp_path / "apps/zig/stack.toml").write_text(STACK)
    shutil.copytree(root / "dockerfiles/go", tmp_path / "dockerfiles/zig")
    return tmp_path


def test_an_invented_stack_is_in_the_build_plan(invented: Path) -> None:
    plan = bake.definition(catalog.read(invented))
    for variant in ("plain", "multistage", "distroless", "debug"):
        assert f"zig-{variant}" in plan["group"]["default"]["targets"]
        assert plan["target"][f"zig-{variant}"]["context"] == "apps/zig"
    assert plan["group"]["zig"]["targets"] == ["zig-plain", "zig-multistage", "zig-distroless", "zig-debug"]


def test_an_invented_stack_is_in_the_list_of_tests(invented: Path, root: Path) -> None:
    collect = [sys.executable, "-m", "pytest", "tests/images", "--collect-only", "-q", "--project", str(invented)]
    listed = subprocess.run(collect, cwd=root, env=os.environ, capture_output=True, text=True, check=False)
    assert "[zig-distroless no-shell]" in listed.stdout, listed.stdout[-2000:] + listed.stderr


def test_an_invented_stack_is_in_the_readme_table(invented: Path) -> None:
    build = Build("sha256:1", 1.0, cached=False, labels={}, bases={}, stand_ins=(), unit_tests=True, disk=8_900_000)
    text = readme.renewed(
        "<!-- images: begin -->\n<!-- images: end -->", catalog.read(invented), Record(images={"zig-distroless": build})
    )
    assert "| Zig 1.0 | an invented stack |" in text
    assert "8.9 / 0.0" in text


def test_every_recipe_of_every_stack_and_variant_is_there(project: Catalog) -> None:
    assert len(project.recipes) == len(project.stacks) * len(project.variants) > 0


def test_every_from_line_names_a_base_that_is_described(project: Catalog) -> None:
    for recipe in project.recipes:
        assert recipe.bases
        for reference in recipe.bases:
            assert reference in project.base(reference).references


def test_every_build_context_holds_the_canary(project: Catalog) -> None:
    assert len({catalog.canary(stack) for stack in project.stacks}) == 1


def test_an_unknown_stack_names_the_known_ones_and_the_nearest(project: Catalog) -> None:
    with pytest.raises(UsageError) as error:
        project.select(stack="pyton")
    assert "go" in error.value.seen
    assert error.value.do == "did you mean python?"


def test_a_stack_file_that_lacks_a_value_is_named_with_what_is_missing(invented: Path) -> None:
    (invented / "apps/zig/stack.toml").write_text(STACK.replace('sdk = "golang:1.27-trixie"\n', ""))
    with pytest.raises(CatalogError) as error:
        catalog.read(invented)
    assert "apps/zig/stack.toml" in error.value.failed
    assert "sdk" in error.value.seen


def test_a_file_that_is_no_toml_is_an_error_of_ours(invented: Path) -> None:
    (invented / "apps/zig/stack.toml").write_text("title = ")
    with pytest.raises(CatalogError, match="cannot be read"):
        catalog.read(invented)


def test_a_budget_that_is_missing_for_a_variant_is_an_error(invented: Path) -> None:
    (invented / "apps/zig/stack.toml").write_text(STACK.replace("debug = { disk-mb = 12, pull-mb = 4 }\n", ""))
    with pytest.raises(CatalogError) as error:
        catalog.read(invented)
    assert "budgets.debug" in error.value.seen


def test_a_from_line_that_no_base_describes_is_an_error(project: Catalog) -> None:
    with pytest.raises(CatalogError, match="nowhere:1"):
        project.base("nowhere:1")
