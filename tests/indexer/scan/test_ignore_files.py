"""Files by which folders ask to be left alone: whole folders, and what patterns mean."""

import os
import time
from pathlib import Path

import pytest

from indexer.scan.ignore_files import IgnoreRules
from indexer.scan.walk import find_videos


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"film")


def names(root: Path, *paths: Path, **options) -> list[str]:
    walk = find_videos(paths or (root,), **options)
    return [file.path.relative_to(root).as_posix() for file in walk.files]


@pytest.mark.parametrize("mark", [".nomedia", ".trackerignore", ".ignore"])
def test_a_marked_folder_is_left_alone_with_all_below_it(tmp_path, mark):
    touch(tmp_path, "a.mp4", "chat/b.mp4", "chat/deep/c.mp4")
    (tmp_path / "chat" / mark).touch()
    assert names(tmp_path) == ["a.mp4"]
    assert find_videos([tmp_path]).left_out == {f"{tmp_path}/chat"}
    assert names(tmp_path, ignore_files=False) == ["a.mp4", "chat/b.mp4", "chat/deep/c.mp4"]


def test_a_folder_or_file_that_is_given_is_looked_into_although_it_is_marked(tmp_path):
    touch(tmp_path, "chat/b.mp4", "chat/deep/c.mp4", "chat/.nomedia")
    assert names(tmp_path, tmp_path / "chat") == ["chat/b.mp4", "chat/deep/c.mp4"]
    assert names(tmp_path, tmp_path / "chat/deep") == ["chat/deep/c.mp4"]
    assert names(tmp_path, tmp_path / "chat/b.mp4") == ["chat/b.mp4"]


@pytest.mark.parametrize("part", ["chat", "chat/deep", "chat/deep/c.mp4", "other/one.mp4"])
def test_a_part_of_a_folder_is_marked_as_in_the_whole(tmp_path, part):
    touch(tmp_path, "chat/b.mp4", "chat/deep/c.mp4", "chat/.nomedia", "other/one.mp4")
    (tmp_path / ".plexignore").write_text("other/one.mp4")
    assert find_videos([tmp_path / part], roots=[tmp_path]).files == ()


def test_a_mark_behind_a_link_counts(tmp_path):
    touch(tmp_path, "store/a.mp4", "store/.nomedia", "lib/b.mp4")
    (tmp_path / "lib/way").symlink_to(tmp_path / "store")
    assert names(tmp_path, tmp_path / "lib") == ["lib/b.mp4"]


@pytest.mark.parametrize("name", [".ignore", ".immichignore", ".plexignore", ".ppignore"])
def test_patterns_count_from_the_folder_that_holds_them(tmp_path, name):
    touch(tmp_path, "a.mp4", "x/a.mp4", "x/b.mkv", "x/y/a.mp4", "x/raw/c.mp4", "x/y/raw/d.mp4")
    (tmp_path / "x" / name).write_text("# mine\n/a.mp4\n*.mkv\n\nraw/\n")
    assert names(tmp_path) == ["a.mp4", "x/y/a.mp4"]


def test_a_nearer_file_may_keep_what_one_above_leaves_out(tmp_path):
    touch(tmp_path, "a.mp4", "x/a.mp4", "x/b.mp4")
    (tmp_path / ".ignore").write_text("*.mp4\n!b.mp4\n")
    (tmp_path / "x/.ignore").write_text("!a.mp4\n")
    assert names(tmp_path) == ["x/a.mp4", "x/b.mp4"]


def test_an_empty_file_of_patterns_leaves_nothing_out_but_for_jellyfins(tmp_path):
    touch(tmp_path, "x/a.mp4", "y/b.mp4")
    (tmp_path / "x/.plexignore").touch()
    (tmp_path / "y/.ignore").write_text(" \n")
    assert names(tmp_path) == ["x/a.mp4"]


@pytest.mark.parametrize("line", [" " * 60_000 + "x", "[" * 60_000, "*" * 60_000 + "]"])
def test_a_strangers_long_line_is_read_at_once(tmp_path, line):
    (tmp_path / ".plexignore").write_text(line)
    before = time.process_time()
    rules = IgnoreRules().with_files_in(str(tmp_path), [".plexignore"])
    assert not rules.ignores(f"{tmp_path}/a.mp4", is_folder=False)
    assert time.process_time() - before < 1  # many seconds, where each letter has the rest read


@pytest.mark.parametrize(
    ("line", "path", "ignored"),
    [
        ("*.avi", "x/a.avi", True),
        ("sample.mkv", "x/y/sample.mkv", True),
        ("specials/", "specials", False),
        ("/a/b.mp4", "a/b.mp4", True),
        ("a/b.mp4", "c/a/b.mp4", False),
        ("**/b/c.mp4", "x/y/b/c.mp4", True),
        ("a/**/z.mp4", "a/z.mp4", True),
        ("a/**/z.mp4", "a/1/2/z.mp4", True),
        ("a/**", "a/x/y", True),
        ("a/**", "a", False),
        ("a*/b", "ax/y/b", False),
        (r"\#x.mp4", "#x.mp4", True),
        (r"\!x.mp4", "!x.mp4", True),
        (r"a\*b.mp4", "a*b.mp4", True),
        (r"a\*b.mp4", "axb.mp4", False),
        ("a[0-9].mp4", "a7.mp4", True),
        ("x.mp4   \r", "x.mp4", True),
        ("x.mp4\t ", "x.mp4", True),
        ("x\\ \t", "x ", True),
        ("\ufeffx.mp4", "x.mp4", True),
        ("Gr\u00f6\u00dfe", "Gro\u0308\u00dfe", True),
        ("caf\udce9*", "caf\udce9.mp4", True),
        ("/", "a.mp4", False),
        ("A.mp4", "a.mp4", False),
    ],
)
def test_a_line_means_what_it_means_to_git(tmp_path, line, path, ignored):
    (tmp_path / ".plexignore").write_bytes(os.fsencode(f"{line}\n"))
    rules = IgnoreRules().with_files_in(str(tmp_path), [".plexignore"])
    assert rules.ignores(f"{tmp_path}/{path}", is_folder=False) is ignored


def test_photoprism_takes_upper_and_lower_case_for_the_same(tmp_path):
    touch(tmp_path, "a.mp4")
    (tmp_path / ".ppignore").write_text("*.MP4")
    assert names(tmp_path) == []


def test_a_strangers_patterns_cannot_hold_up_the_walk(tmp_path):
    touch(tmp_path, "a" * 250 + ".mp4")
    (tmp_path / ".ignore").write_text("\n".join(["*a" * 100 + "b", "**/a/" * 200 + "b"] * 500))
    os.mkfifo(tmp_path / ".plexignore")
    (tmp_path / ".ppignore").symlink_to("/dev/zero")
    (tmp_path / ".immichignore").mkdir()
    before = time.process_time()
    assert len(names(tmp_path)) == 1
    assert time.process_time() - before < 5  # backtracking would take longer than anybody lives
