"""Which paths lie below which folders."""

from pathlib import Path

import pytest

from machine.paths import enclosing, is_at_or_below, is_below, outermost


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize(
    ("path", "folder", "below"),
    [
        ("/a/b", "/a", True),
        ("/a/b/c", "/a", True),
        ("/a", "/", True),
        ("/a", "/a", False),
        ("/", "/", False),
        ("/ab", "/a", False),
        ("/a", "/a/b", False),
    ],
)
def test_a_path_is_below_a_folder_at_any_depth_but_not_itself(kind, path, folder, below):
    assert is_below(kind(path), kind(folder)) is below
    assert is_at_or_below(kind(path), kind(folder)) is (below or path == folder)


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize(
    ("path", "folders", "found"),
    [
        ("/a/b/c", ["/a", "/a/b"], "/a/b"),
        ("/a/b", ["/a/b"], "/a/b"),
        ("/a/b", ["/"], "/"),
        ("/", ["/"], "/"),
        ("/ab", ["/a"], None),
        ("/a", ["/a/b"], None),
        ("/a", [], None),
    ],
)
def test_the_enclosing_folder_is_the_nearest_one(kind, path, folders, found):
    assert enclosing(kind(path), {kind(folder) for folder in folders}) == (found and kind(found))


def test_outermost_paths_do_not_lie_below_each_other():
    given = [Path("/b/c"), Path("/a"), Path("/a/x"), Path("/b")]
    assert outermost(given) == (Path("/a"), Path("/b"))
    assert outermost([Path("/a"), Path("/ab"), Path("/")]) == (Path("/"),)
