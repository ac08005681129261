"""The merged tree is what a container sees; the layers below it stay visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stageproof.errors import ImageError
from stageproof.image import Kind

if TYPE_CHECKING:
    from tests.unit.conftest import Images


def test_a_later_layer_wins_and_the_file_knows_who_brought_it(images: Images) -> None:
    image = images.image([images.file("a", b"old")], [images.file("a", b"newer", 0o600)])
    entry = image.find("/a")
    assert entry is not None
    assert (entry.size, entry.mode) == (5, 0o600)
    assert image.layer_of(entry).number == 2
    assert image.created_by(entry) == "COPY step 2"
    assert image.layers[0].entries["/a"].size == 3


def test_a_white_out_removes_a_file_that_its_layer_still_shows(images: Images) -> None:
    image = images.image([images.file("d/a"), images.file("d/b")], [images.file("d/.wh.a", b"")])
    assert image.find("/d/a") is None
    assert image.find("/d/b")
    assert "/d/a" in image.layers[0].entries


def test_a_white_out_of_a_folder_removes_what_is_below_it(images: Images) -> None:
    image = images.image([images.file("d/x/a"), images.file("dx")], [images.file(".wh.d", b"")])
    assert [entry.path for entry in image.walk()] == ["/dx"]


def test_an_opaque_folder_hides_the_layers_below_and_keeps_its_own(images: Images) -> None:
    image = images.image(
        [images.file("d/a"), images.file("d/sub/b")],
        [images.file("d/c"), images.file("d/.wh..wh..opq", b"")],
    )
    assert [entry.path for entry in image.walk("/d")] == ["/d", "/d/c"]


def test_a_file_that_comes_back_after_a_white_out_is_there(images: Images) -> None:
    image = images.image([images.file("a")], [images.file(".wh.a", b"")], [images.file("a", b"again")])
    entry = image.find("/a")
    assert entry is not None
    assert image.layer_of(entry).number == 3


def test_a_file_in_place_of_a_folder_removes_what_was_below_it(images: Images) -> None:
    image = images.image([images.file("d/a")], [images.file("d", b"file")])
    assert image.find("/d/a") is None


@pytest.mark.parametrize("name", [".wh..", ".wh...", ".wh."])
def test_a_white_out_that_reaches_outside_is_refused(images: Images, name: str) -> None:
    with pytest.raises(ImageError) as caught:
        images.image([images.file(f"d/{name}", b"")])
    assert "white-out" in caught.value.seen


def test_a_hard_link_shows_the_file_itself_and_is_counted_once(images: Images) -> None:
    image = images.image([images.file("a", b"12345"), images.hard_link("b", "a")])
    entry = image.find("/b")
    assert entry is not None
    assert (entry.path, entry.kind, entry.size) == ("/b", Kind.FILE, 5)
    assert image.disk == 5


def test_a_hard_link_to_a_lower_layer_is_followed_and_a_dangling_one_shown_as_such(images: Images) -> None:
    image = images.image([images.file("a")], [images.hard_link("b", "a"), images.hard_link("c", "../../etc/passwd")])
    found = image.find("/b")
    dangling = image.find("/c")
    assert found
    assert found.is_file
    assert dangling
    assert dangling.kind is Kind.HARD_LINK


def test_a_hard_link_to_a_hard_link_or_to_a_link_shows_what_it_is_a_name_of(images: Images) -> None:
    image = images.image(
        [
            images.file("a", b"12345"),
            images.hard_link("b", "a"),
            images.hard_link("c", "b"),
            images.link("l", "/a"),
            images.hard_link("m", "l"),
            images.hard_link("x", "y"),
            images.hard_link("y", "x"),
        ]
    )
    third, link = image.find("/c"), image.find("/m")
    assert third
    assert (third.kind, third.size) == (Kind.FILE, 5)
    assert link
    assert (link.kind, link.link) == (Kind.LINK, "/a")
    resolved = image.resolve("/m")
    assert resolved
    assert resolved.path == "/a"
    loop = image.find("/x")
    assert loop
    assert loop.kind is Kind.HARD_LINK


def test_ten_thousand_folders_that_become_files_take_one_pass(images: Images) -> None:
    below = [images.file(f"d{number}/x") for number in range(10_000)]
    image = images.image(below, [images.file(f"d{number}") for number in range(10_000)])
    assert len(image.tree) == 10_000
    assert all(entry.is_file for entry in image.tree.values())


def test_links_are_followed_inside_the_image_only(images: Images) -> None:
    image = images.image(
        [
            images.file("usr/lib/x", b"it"),
            images.link("lib", "usr/lib"),
            images.link("usr/lib/up", "../../../../../lib/x"),
            images.link("outside", "/proc/1/root/etc/passwd"),
        ]
    )
    for path in ("/lib/x", "/usr/lib/up", "/lib/up", "lib/../lib/./x", "//lib//x"):
        entry = image.resolve(path)
        assert entry is not None, path
        assert entry.path == "/usr/lib/x"
    assert image.resolve("/outside") is None
    assert image.find("/lib/x") is None


def test_a_relative_path_starts_in_the_folder_given(images: Images) -> None:
    image = images.image([images.file("app/main.py")])
    assert image.resolve("main.py", "/app")
    assert image.resolve("main.py") is None


def test_a_loop_of_links_ends_after_forty(images: Images) -> None:
    image = images.image([images.link("a", "b"), images.link("b", "a")])
    assert "more than 40 links" in image.trail("/a").problem


def test_forty_links_in_a_row_are_followed_and_one_more_is_not(images: Images) -> None:
    chain = [images.link(f"l{number}", f"l{number + 1}") for number in range(41)]
    image = images.image([*chain, images.file("l41")])
    assert image.resolve("/l1")
    assert image.resolve("/l0") is None


def test_a_file_on_the_way_is_named_as_the_obstacle(images: Images) -> None:
    image = images.image([images.file("a")])
    assert image.trail("/a/b").problem == "/a is a file, not a folder"


def test_folders_that_the_archive_takes_for_granted_are_there(images: Images) -> None:
    image = images.image([images.file("a/b/c")])
    folder = image.find("/a/b")
    assert folder
    assert (folder.kind, folder.mode, folder.uid) == (Kind.FOLDER, 0o755, 0)


def test_names_that_leave_their_folder_are_kept_inside_and_told(images: Images) -> None:
    image = images.image([images.file("../../etc/evil")])
    assert image.find("/etc/evil")
    assert "leaves its folder" in image.layers[0].remarks[0]


def test_devices_and_doubled_paths_are_told(images: Images) -> None:
    device = images.file("dev/sda", b"")
    image = images.image([images.file("a"), images.file("a", b"twice"), type(device)("dev/sda", type=b"4")])
    assert image.layers[0].remarks == ("/a stands twice in the archive", "/dev/sda is a block device")
    entry = image.find("/a")
    assert entry
    assert entry.size == 5


def test_the_size_on_disk_counts_files_of_all_layers_and_the_targets_of_links(images: Images) -> None:
    image = images.image([images.file("a", b"x" * 100), images.link("l", "abc")], [images.file("a", b"y" * 10)])
    assert image.disk == 113


def test_the_size_to_pull_is_that_of_the_gzipped_layers(images: Images) -> None:
    image = images.image([images.file("a", b"x" * 100_000)], [images.file("b", bytes(range(256)) * 400)])
    assert 0 < image.layers[0].pull < 1000
    assert image.pull == image.layers[0].pull + image.layers[1].pull
