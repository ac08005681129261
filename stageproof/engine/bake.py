"""The build description: catalog -> `docker-bake.json`, and what this machine adds to it for one run.

The committed file builds everything with `docker buildx bake` alone, where a registry answers. A run adds a second
file: stand-ins for the bases, a company CA over the stage `sdk`. Both are data; nothing here runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stageproof import __version__, dockerfile
from stageproof.catalog import Catalog
from stageproof.model import Recipe

FILE = "docker-bake.json"
HELPER = "helper"
"""The target that builds the helper image, which looks into containers."""
HELPER_FOLDER = "stageproof/live/helper"

_LABELS = ("APP_VERSION", "APP_COMMIT", "APP_BUILT")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")

Json = dict[str, Any]


@dataclass(frozen=True)
class Additions:
    """What one run adds to the committed file."""

    contexts: Mapping[str, str] = field(default_factory=dict)
    """Named contexts by the reference that they replace: `docker-image://...`."""
    ca_folder: Path | None = None
    """The build context of the company CA's layer; None: there is no company CA."""
    no_cache: bool = False
    load: bool = False
    """Ask for the images to be loaded into the engine: builders other than the engine's own keep them otherwise."""


def image_name(recipe: Recipe) -> str:
    """Give the image's name in the engine: `stageproof/go:distroless`."""
    return f"stageproof/{recipe.stack.name}:{recipe.variant.name}"


def test_target(recipe: Recipe) -> str:
    """Give the target that runs the unit tests of the recipe's Dockerfile; recipes of one file share it."""
    return f"{recipe.stack.name}-{recipe.variant.dockerfile}-test"


def definition(catalog: Catalog) -> Json:
    """Make the committed build description from the folders."""
    recipes = catalog.recipes
    targets: Json = {recipe.name: _image_target(recipe, catalog.root) for recipe in recipes}
    for recipe in recipes:
        targets.setdefault(test_target(recipe), _test_target(recipe, catalog.root))
    targets[HELPER] = {"context": HELPER_FOLDER, "tags": ["stageproof/helper"]}
    groups = {"default": [recipe.name for recipe in recipes]}
    for stack in catalog.stacks:
        groups[stack.name] = [recipe.name for recipe in recipes if recipe.stack is stack]
    for variant in catalog.variants:
        groups[variant.name] = [recipe.name for recipe in recipes if recipe.variant is variant]
    groups["test"] = sorted({test_target(recipe) for recipe in recipes})
    return {
        "variable": {
            "APP_VERSION": {"default": __version__},
            "APP_COMMIT": {"default": "unknown"},
            "APP_BUILT": {"default": "unknown"},
        },
        "group": {name: {"targets": members} for name, members in groups.items() if members},
        "target": targets,
    }


def text(description: Json) -> str:
    """Write a build description as the committed file holds it."""
    return json.dumps(description, indent=2) + "\n"


def additions(catalog: Catalog, recipes: Sequence[Recipe], added: Additions) -> Json:
    """Make the second bake file of a run, for the recipes, their test targets and the helper image."""
    targets: Json = {}
    for recipe in recipes:
        extra = _extra(recipe.bases, added)
        if added.ca_folder:
            extra["contexts"]["sdk"] = f"target:{_sdk_target(recipe.stack.sdk)}"
            targets[_sdk_target(recipe.stack.sdk)] = _ca_target(catalog, recipe.stack.sdk, added)
        targets[recipe.name] = extra | {"secret": [f"id=canary,src={recipe.stack.folder / 'canary.txt'}"]}
        if added.load:
            targets[recipe.name]["output"] = ["type=docker"]
        targets[test_target(recipe)] = extra
    targets[HELPER] = _extra(dockerfile.bases((catalog.root / HELPER_FOLDER / "Dockerfile").read_text()), added)
    targets = {name: {key: value for key, value in each.items() if value} for name, each in targets.items()}
    # Bake refuses an empty list of variables.
    variables = {name: {"default": ""} for name in proxies()}
    return ({"variable": variables} if variables else {}) | {"target": targets}


def _extra(references: Sequence[str], added: Additions) -> Json:
    contexts = {reference: added.contexts[reference] for reference in references if reference in added.contexts}
    return {"contexts": contexts, "args": {name: f"${{{name}}}" for name in proxies()}, "no-cache": added.no_cache}


def _ca_target(catalog: Catalog, reference: str, added: Additions) -> Json:
    contexts = {"base": added.contexts.get(reference, f"docker-image://{reference}")}
    recipe_file = catalog.root / "bases" / "company-ca.Dockerfile"
    return {"context": str(added.ca_folder), "dockerfile": str(recipe_file), "contexts": contexts}


def _sdk_target(reference: str) -> str:
    return "sdk-" + "".join(letter if letter.isalnum() else "-" for letter in reference)


def _image_target(recipe: Recipe, root: Path) -> Json:
    arguments = dict(recipe.variant.args) | {name: f"${{{name}}}" for name in _LABELS}
    return _file_and_context(recipe, root) | {"args": arguments, "tags": [image_name(recipe)]}


def _test_target(recipe: Recipe, root: Path) -> Json:
    return _file_and_context(recipe, root) | {"target": "test", "output": ["type=cacheonly"]}


def _file_and_context(recipe: Recipe, root: Path) -> Json:
    # Bake reads the Dockerfile's path from the context, not from its own file.
    return {
        "context": recipe.stack.folder.relative_to(root).as_posix(),
        "dockerfile": os.path.relpath(recipe.dockerfile, recipe.stack.folder),
    }


def proxies() -> dict[str, str]:
    """Give the user's proxies, by the names of BuildKit's own arguments, which stay out of images and cache keys.

    They may hold a password: bake gets them as variables from its environment, and no file has them.
    """
    return {name: value for name in _PROXIES if (value := os.environ.get(name) or os.environ.get(name.lower()))}
