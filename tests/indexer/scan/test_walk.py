"""The walk: which files count, under which path, in which order."""

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from indexer.errors import PathMissingError
from indexer.scan.walk import find_videos


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    root.mkdir()
    return root


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"film")


def names(root: Path, *paths: Path, **globs: tuple[str, ...]) -> list[str]:
    walk = find_videos(paths or (root,), **globs)
    return [file.path.relative_to(root).as_posix() for file in walk.files]


def test_videos_of_all_containers_are_found_in_either_case_and_in_path_order(library):
    touch(library, "z.MP4", "b/c.Mkv", "a.webm", "b/a.avi", "notes.txt", "mp4", "b.mp4.part")
    assert names(library) == ["a.webm", "b/a.avi", "b/c.Mkv", "z.MP4"]


def test_a_found_file_has_its_root_and_state(library):
    touch(library, "a/b.mp4")
    (file,) = find_videos([library]).files
    state = (library / "a/b.mp4").stat()
    assert (file.root, file.path) == (library, library / "a/b.mp4")
    assert (file.size, file.mtime_ns) == (state.st_size, state.st_mtime_ns)


def test_hidden_and_system_entries_are_skipped_but_a_name_given_is_taken(library):
    touch(library, ".a.mp4", ".cache/b.mp4", "$RECYCLE.BIN/c.mp4", "lost+found/d.mp4", "e.dat")
    assert names(library) == []
    assert names(library, library / ".a.mp4", library / "e.dat") == [".a.mp4", "e.dat"]
    assert names(library, library / ".cache") == [".cache/b.mp4"]


@pytest.mark.parametrize(
    "folder",
    [
        "@Recycle", "@Recently-Snapshot/GMT+02_2026", "#snapshot", "#Recycle", "RECYCLER/S-1-5-21",
        "Recycled", "Network Trash Folder", "FOUND.000", "found.017", "LOST.DIR", "~snapshot",
        "@GMT-2026.01.02-03.04.05", "@eaDir", "@tmp", "@sharebin", "TRASHBOX", "Backups.backupdb",
        "$Recycle.Bin", "System Volume Information", "Temporary Items",
    ],
)  # fmt: skip
def test_bins_and_snapshots_are_left_out_unless_they_are_given(library, folder):
    touch(library, f"x/{folder}/a.mp4", "b.mp4")
    walk = find_videos([library])
    assert [file.path.name for file in walk.files] == ["b.mp4"]
    assert walk.left_out == {str(library / "x" / folder.split("/")[0])}
    assert names(library, library / "x" / folder) == [f"x/{folder}/a.mp4"]
    assert names(library, library / f"x/{folder}/a.mp4") == [f"x/{folder}/a.mp4"]
    assert find_videos([library / "x" / folder], roots=[library]).files == ()


def test_the_root_of_a_file_given_by_name_is_its_folder(library):
    touch(library, "a.mp4")
    walk = find_videos([library / "a.mp4"])
    assert walk.paths == (library / "a.mp4",)
    assert walk.files[0].root == library


def test_overlapping_paths_find_each_file_once_under_the_outermost_root(library):
    touch(library, "sub/a.mp4", "b.mp4")
    given = [library / "sub", library, library / "sub/a.mp4", library / "sub/../b.mp4"]
    walk = find_videos(given)
    assert [file.path.name for file in walk.files] == ["b.mp4", "a.mp4"]
    assert {file.root for file in walk.files} == {library}
    assert walk.paths == (library,)


def test_link_loops_are_harmless(library):
    touch(library, "a/b.mp4")
    (library / "a/up").symlink_to(library)
    (library / "self").symlink_to(library / "self")
    (library / "ping").symlink_to(library / "pong")
    (library / "pong").symlink_to(library / "ping")
    assert names(library) == ["a/b.mp4"]


@pytest.fixture
def numbered(monkeypatch) -> Callable[[Callable[[], int]], None]:
    """Let the system give every folder the number that a function gives, as some disks do."""

    def give(number: Callable[[], int]) -> None:
        ask = os.stat

        def answer(*args, **options) -> os.stat_result:
            state = ask(*args, **options)
            if not stat.S_ISDIR(state.st_mode):
                return state
            fields = list(state)[:10]
            fields[stat.ST_INO] = number()
            return os.stat_result(fields, {"st_mtime_ns": state.st_mtime_ns})

        monkeypatch.setattr(os, "stat", answer)

    return give


def test_no_folder_is_passed_over_because_another_one_has_its_number(library, numbered):
    every = ["a/1.mp4", "b/2.mp4", "b/b/3.mp4", "b/b/b/4.mp4", "c/d/5.mp4", "c/d/c/d/6.mp4"]
    touch(library, *every)
    numbered(lambda: 270582940672)
    assert names(library) == every


def test_links_end_also_where_numbers_mean_nothing(library, tmp_path, numbered):
    touch(library, "a/b/c.mp4")
    touch(tmp_path / "far", "d/e.mp4")
    (library / "a/b/up").symlink_to(library)
    (library / "a/out").symlink_to(tmp_path / "far")
    (tmp_path / "far/d/back").symlink_to("..")
    (tmp_path / "far/d/home").symlink_to(library / "a")
    found = ["a/b/c.mp4", "a/out/d/e.mp4"]
    for number in (lambda: 7, count().__next__):
        numbered(number)
        assert names(library) == found


def test_a_linked_folder_is_entered_and_a_real_path_is_preferred(library, tmp_path):
    touch(library, "real/b.mp4")
    touch(tmp_path / "elsewhere", "c.mp4")
    (library / "early").symlink_to(library / "real")
    (library / "far").symlink_to(tmp_path / "elsewhere")
    assert names(library) == ["far/c.mp4", "real/b.mp4"]


def test_a_given_folder_is_not_reached_through_a_link_of_another_one(library, tmp_path):
    touch(tmp_path / "other", "c.mp4")
    (library / "link").symlink_to(tmp_path / "other")
    walk = find_videos([library, tmp_path / "other"])
    assert [file.path for file in walk.files] == [tmp_path / "other/c.mp4"]


def test_what_cannot_be_read_is_listed_with_the_reason(library, monkeypatch):
    monkeypatch.chdir(library)  # the name of a socket must be short
    (library / "gone.mp4").symlink_to(library / "nowhere")
    os.mkfifo(library / "pipe.mp4")
    (library / "loop.mp4").symlink_to("loop.mp4")
    (library / "null.mp4").symlink_to("/dev/null")
    with closing(socket.socket(socket.AF_UNIX)) as line:
        line.bind("line.mp4")
    touch(library, "a.mp4")
    walk = find_videos([library])
    assert [file.path.name for file in walk.files] == ["a.mp4"]
    reasons = {failed.path.name: failed.reason for failed in walk.unreadable}
    assert reasons == {
        "gone.mp4": f"is a link to {library / 'nowhere'}, which is not there",
        "line.mp4": "is a socket, not a regular file",
        "loop.mp4": "cannot be read: Too many levels of symbolic links",
        "null.mp4": "is a device, not a regular file",
        "pipe.mp4": "is a named pipe, not a regular file",
    }
    assert [failed.path.name for failed in walk.unreadable] == sorted(reasons)


def test_what_is_left_out_is_not_listed_as_unreadable(library):
    os.mkfifo(library / "pipe.mp4")
    (library / "gone.mkv").symlink_to("nowhere")
    assert find_videos([library], exclude=["pipe*", "*.mkv"]).unreadable == ()
    assert find_videos([library], include=["other/*"]).unreadable == ()


def test_links_to_nothing_are_told_apart_from_all_others(library):
    touch(library, "a/b.mp4")
    (library / "a/holiday").symlink_to("/nowhere/holiday")
    (library / "old.mp4").symlink_to(library / "a/b.mp4/c.mp4")
    (library / ".hidden").symlink_to("/nowhere")
    (library / "loop").symlink_to(library / "loop")
    (library / "again").symlink_to(library / "a")
    assert find_videos([library]).dangling == (library / "a/holiday", library / "old.mp4")


def test_progress_is_told_at_once_and_then_now_and_then(library):
    touch(library, *(f"{folder}/{number}.mp4" for folder in "abcdef" for number in range(5)))
    seconds = iter(n / 8 for n in range(100))  # the clock moves on by this much at each look
    told: list[int] = []
    find_videos([library], on_progress=told.append, clock=lambda: next(seconds))
    assert told == [0, 20]


def test_a_folder_that_cannot_be_listed_is_named_and_the_rest_is_walked(library):
    touch(library, "z.mp4")
    folder, path = os.open(library, os.O_RDONLY), library
    while len(str(path)) < 4200:  # longer than any system takes a path; made step by step
        os.mkdir("d" * 250, dir_fd=folder)
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder, path = inner, path / ("d" * 250)
    os.close(folder)
    walk = find_videos([library])
    assert [file.path.name for file in walk.files] == ["z.mp4"]
    (failed,) = walk.unreadable
    assert path.is_relative_to(failed.path)
    assert failed.reason == "cannot be read: File name too long"


def test_a_missing_path_ends_the_walk_with_one_sentence(library):
    with pytest.raises(PathMissingError, match=r"nowhere is not there .* mounted"):
        find_videos([library, library / "nowhere"])


def test_only_a_root_without_any_entry_counts_as_empty(library):
    assert find_videos([library]).empty_folders == (library,)
    touch(library, "notes.txt")
    assert find_videos([library]).empty_folders == ()


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ("*.mkv", ["b.mkv", "old/c.mkv"]),
        ("old", ["old/c.mkv", "old/deep/d.mp4"]),
        ("old/*", ["old/c.mkv", "old/deep/d.mp4"]),
        ("**/b.mkv", ["b.mkv"]),
        ("*/old/*", ["old/c.mkv", "old/deep/d.mp4"]),
        ("deep/*", ["old/deep/d.mp4"]),
        ("old/", ["old/c.mkv", "old/deep/d.mp4"]),
        ("ld/*", []),
        ("*.MKV", []),
    ],
)
def test_include_keeps_and_exclude_drops_what_a_pattern_means(library, pattern, kept):
    touch(library, "a.mp4", "b.mkv", "old/c.mkv", "old/deep/d.mp4")
    everything = names(library)
    assert names(library, include=(pattern,)) == kept
    assert names(library, exclude=(pattern,)) == [n for n in everything if n not in kept]


def test_the_names_above_a_given_folder_count_for_absolute_patterns_only(library):
    touch(library, "a.mp4")
    assert names(library, exclude=(library.name, f"*/{library.name}/*")) == ["a.mp4"]
    assert names(library, exclude=(str(library.parent),)) == []


def test_absolute_patterns_and_several_patterns_work_together(library):
    touch(library, "a.mp4", "b.mkv", "old/c.mkv")
    both = {"include": ("*.mkv", "*.mp4"), "exclude": (f"{library}/old/*", "a.*")}
    assert names(library, **both) == ["b.mkv"]


NO_TEXT = os.fsdecode(b"caf\xe9\n-\xff")


def test_names_that_are_not_text_are_found_and_meant_by_patterns(library, tmp_path):
    try:
        touch(library, f"{NO_TEXT}.mp4", f"{NO_TEXT}/b.mp4")
    except OSError:
        pytest.skip("this file system refuses such names")
    assert names(library) == [f"{NO_TEXT}/b.mp4", f"{NO_TEXT}.mp4"]
    assert names(library, exclude=(NO_TEXT,)) == [f"{NO_TEXT}.mp4"]
    assert names(library, include=(f"{library}/{NO_TEXT}?mp4",)) == [f"{NO_TEXT}.mp4"]
    (tmp_path / NO_TEXT).symlink_to(library)
    assert names(library, exclude=(f"{tmp_path}/{NO_TEXT}/*/b.mp4",)) == [f"{NO_TEXT}.mp4"]
    touch(library, f"{NO_TEXT}/.nomedia")
    assert names(library) == [f"{NO_TEXT}.mp4"]


@pytest.fixture
def behind_link(library, tmp_path) -> Path:
    """The library by another path, as `~/Videos` is on many systems."""
    touch(library, "trip/a.mp4", "private/b.mp4")
    (tmp_path / "Videos").symlink_to(library)
    return tmp_path / "Videos"


@pytest.mark.parametrize("private", ["Videos/private", "Vid*/private", "*/private", "V*/*vat*/*"])
def test_an_absolute_pattern_may_lead_through_links(library, behind_link, tmp_path, private):
    given = f"{tmp_path}/{private}"
    assert names(library, behind_link, exclude=(given,)) == ["trip/a.mp4"]
    assert names(library, library, include=(given,)) == ["private/b.mp4"]


def test_what_lies_behind_a_link_is_meant_by_its_own_path_too(library, tmp_path):
    touch(tmp_path / "store", "films/c.mp4", "d.mp4")
    (library / "far").symlink_to(tmp_path / "store")
    (library / "one.mp4").symlink_to(tmp_path / "store/d.mp4")
    both = ["far/d.mp4", "far/films/c.mp4", "one.mp4"]
    assert names(library) == both
    assert names(library, exclude=(f"{library}/far",)) == []  # whichever way leads there
    assert names(library, exclude=(f"{tmp_path}/store",)) == []
    assert names(library, exclude=(f"{tmp_path}/store/d.mp4",)) == ["far/films/c.mp4"]
    assert names(library, exclude=(f"{tmp_path}/?tore",)) == []
    assert names(library, exclude=("store",)) == both
    assert names(library, include=(f"{tmp_path}/store/films",)) == ["far/films/c.mp4"]


def test_a_link_does_not_bring_back_what_a_pattern_drops(library):
    touch(library, "private/a.mp4", "b.mp4")
    (library / "way-in").symlink_to(library / "private")
    assert names(library, exclude=("private",)) == ["b.mp4"]


@pytest.mark.parametrize("written", ["Gr\u00f6\u00dfe", "Gro\u0308\u00dfe"])
@pytest.mark.parametrize("stored", ["Gr\u00f6\u00dfe", "Gro\u0308\u00dfe"])
def test_letters_are_the_same_composed_and_decomposed(library, written, stored):
    touch(library, f"{stored}/a.mp4", "b.mp4")
    assert names(library, exclude=(written,)) == ["b.mp4"]
    assert names(library, include=(f"{library}/{written}/?.mp4",)) == [f"{stored}/a.mp4"]


def test_what_a_pattern_leaves_out_is_listed(library):
    touch(library, "old/a.mp4", "old/b.mp4", "c.mkv", "d.mp4")
    assert find_videos([library]).left_out == frozenset()
    assert find_videos([library], exclude=["old"]).left_out == {f"{library}/old"}
    assert find_videos([library], include=["*.mkv"]).left_out == {
        f"{library}/{name}" for name in ("old/a.mp4", "old/b.mp4", "d.mp4")
    }
    assert find_videos([library], exclude=[str(library)]).left_out == {str(library)}


# In a mount namespace of its own: one disk inside the library, one that a link leads to.
_WITH_TWO_DISKS = """
set -e
cd "$1"
mkdir -p library/bound library/disk library/plain far
mount -t tmpfs none library/disk
mount -t tmpfs none far
mkdir library/disk/inner far/films
ln -s ../far/films library/link
ln -s ../../plain library/disk/back
mount --bind library/plain library/bound
touch library/a.mp4 library/disk/inner/b.mp4 far/films/c.mp4 library/plain/d.mp4
exec "$2" -c "$3" library library/disk/inner
"""
_SHOW_MOUNTS = """
import json, sys
from pathlib import Path
from indexer.scan.walk import find_videos
for root in sys.argv[1:]:
    walk = find_videos([Path(root)])
    print(json.dumps([[str(p) for p in walk.mounts], len(walk.files)]))
"""


def test_mount_points_are_met_inside_behind_links_and_above(tmp_path):
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", "--mount", *as_root, "sh", "-c", _WITH_TWO_DISKS, "sh"]
    arguments = [str(tmp_path), sys.executable, _SHOW_MOUNTS]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        run = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, env=environment, check=False
        )
    except FileNotFoundError:
        pytest.skip("needs MOUNT: this system has no unshare")
    if "unshare" in run.stderr or "mount:" in run.stderr:
        pytest.skip(f"needs MOUNT: {run.stderr.strip()}")
    assert run.stderr == ""
    (outer, files), (inner, _) = map(json.loads, run.stdout.splitlines())
    above = [path for path in outer if tmp_path.is_relative_to(path)]
    library = tmp_path / "library"
    assert [Path(path) for path in outer if path not in above] == [
        library / "bound",
        library / "disk",
        library / "link",
    ]
    assert files == 5
    assert inner == [str(library / "disk")]
    assert above == [str(mount) for mount in [mount_of(tmp_path)] if mount != Path("/")]


def mount_of(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.is_mount())
