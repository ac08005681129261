"""A stand-in has a key of its inputs, and never an upstream name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stageproof import catalog
from stageproof.catalog import Catalog
from stageproof.engine.standin import debootstrap, families
from stageproof.engine.standin.composition import Composition, compositions, differences
from stageproof.errors import CatalogError

HEAD = """\
repository = "{repository}"
tags = ["1"]
end-of-life = 2030-01-01
end-of-life-source = "a calendar"

[stand-in]
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Give a way to write the folder of a base."""

    def base(name: str, stand_in: str, **files: str) -> Path:
        folder = tmp_path / "bases" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "base.toml").write_text(HEAD.format(repository=name) + stand_in + "\ndiffers = []\n")
        for file, content in files.items():
            (folder / file.replace("_", ".")).write_text(content)
        return folder

    base("debian", 'kind = "debootstrap"\nsuite = "trixie"')
    base("tool", 'kind = "dockerfile"')
    (tmp_path / "bases/tool/stand-in.Dockerfile").write_text("FROM debian:1 AS a\nFROM a\n")
    base("small", 'kind = "distroless"\npackages = ["one"]')
    (tmp_path / "bases/small/packages.Dockerfile").write_text("FROM debian:1\n")
    base("large", 'kind = "distroless"\nparent = "small"\npackages = ["two", "one"]')
    return base


@pytest.fixture
def known(write: Write, tmp_path: Path) -> Callable[[], dict[str, Composition]]:
    """Give a way to read the written folders; `write` has filled them."""
    del write
    return lambda: compositions(catalog.read(tmp_path).bases)


Known = Callable[[], dict[str, Composition]]


def test_parents_come_before_children(known: Known) -> None:
    names = list(known())

    assert names.index("debian") < names.index("tool")
    assert names.index("debian") < names.index("small") < names.index("large")
    assert known()["tool"].needs == ("debian",)


def test_nothing_changed_means_the_same_keys(known: Known) -> None:
    assert {name: each.key for name, each in known().items()} == {name: each.key for name, each in known().items()}


def test_a_changed_file_of_the_folder_changes_the_key(known: Known, tmp_path: Path) -> None:
    before = known()
    (tmp_path / "bases/tool/entry.sh").write_text("exec tool\n")

    assert known()["tool"].key != before["tool"].key
    assert known()["small"].key == before["small"].key


def test_a_changed_parent_changes_the_keys_of_all_its_children(known: Known, write: Write) -> None:
    before = known()
    write("debian", 'kind = "debootstrap"\nsuite = "forky"')

    assert all(each.key != before[name].key for name, each in known().items())


def test_another_end_of_life_or_difference_changes_no_key(known: Known, tmp_path: Path) -> None:
    before = known()
    file = tmp_path / "bases/tool/base.toml"
    file.write_text(file.read_text().replace("2030-01-01", "2031-01-01").replace("differs = []", 'differs = ["much"]'))

    assert known()["tool"].key == before["tool"].key


def test_a_name_in_the_engine_tells_base_tag_and_key_and_is_not_the_upstream_one(project: Catalog) -> None:
    for composition in compositions(project.bases).values():
        for reference in composition.base.references:
            image, tag = composition.image(reference), reference.rpartition(":")[2]
            assert image == f"stageproof/{composition.name}:{tag}-{composition.key[:12]}"
            assert image not in composition.base.references
            assert composition.labels(reference) == {
                "dev.stageproof.stand-in": f"stand-in for {reference}; not the real image"
            }


def test_every_base_of_this_project_can_be_composed(project: Catalog) -> None:
    known = compositions(project.bases)

    assert set(known) == {base.name for base in project.bases}
    assert known["distroless-nodejs26"].needs == ("distroless-cc", "node")


def test_a_family_has_its_parents_packages_first_and_each_once(known: Known) -> None:
    assert families.packages_of(known()["large"], known()) == ("one", "two")


def test_differences_of_a_parent_hold_for_its_children(project: Catalog) -> None:
    known = compositions(project.bases)

    inherited = differences(known["distroless-static"], known)
    assert differences(known["distroless-python3"], known)[: len(inherited)] == inherited
    assert len(differences(known["distroless-python3"], known)) > len(inherited) > 0


def test_bases_that_need_each_other_are_an_error_that_shows_the_circle(known: Known, write: Write) -> None:
    write("small", 'kind = "distroless"\nparent = "large"\npackages = []')

    with pytest.raises(CatalogError) as caught:
        known()

    assert "large -> small -> large" in caught.value.seen or "small -> large -> small" in caught.value.seen


def test_an_unknown_parent_is_an_error(known: Known, write: Write) -> None:
    write("large", 'kind = "distroless"\nparent = "smal"\npackages = []')

    with pytest.raises(CatalogError) as caught:
        known()

    assert caught.value.seen == "there is no base 'smal'"


def test_a_from_line_that_no_base_describes_is_an_error(known: Known, tmp_path: Path) -> None:
    (tmp_path / "bases/tool/stand-in.Dockerfile").write_text("FROM alpine:3\n")

    with pytest.raises(CatalogError, match="starts from alpine:3, which no base describes"):
        known()


@pytest.mark.parametrize("kind", ["", 'kind = "docker"'])
def test_an_unknown_kind_is_an_error_that_lists_the_known_ones(known: Known, write: Write, kind: str) -> None:
    write("tool", kind)

    with pytest.raises(CatalogError) as caught:
        known()

    assert caught.value.do == "known kinds: debootstrap, dockerfile, distroless"


def test_debian_is_made_slim_and_with_its_own_hook(project: Catalog, tmp_path: Path) -> None:
    debian = compositions(project.bases)["debian"]

    words = debootstrap.command(debian, tmp_path / "root.tar", ("deb http://mirror.test/debian trixie main",))

    assert words[0] == "mmdebstrap"
    assert "--variant=minbase" in words
    assert "--include=tzdata" in words
    assert f"--dpkgopt={debian.base.folder / 'dpkg.cfg'}" in words
    assert f"--customize-hook={debian.base.folder / 'customize.sh'}" in words
    assert words[-3:] == ["trixie", str(tmp_path / "root.tar"), "deb http://mirror.test/debian trixie main"]


def test_a_debian_mirror_that_was_asked_for_is_the_only_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGEPROOF_DEBIAN_MIRROR", "http://mirror.test/debian")

    assert list(debootstrap.sources("trixie")) == [
        "deb http://mirror.test/debian trixie main",
        "deb http://mirror.test/debian trixie-updates main",
    ]
