"""Odd file systems: merged, bridged, in themselves, of macOS, with times that no calendar knows."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import indexer
from indexer import FileDone, Outcome, WatchSettings, find_videos, watch_library

ODD = Path(__file__).parents[2] / "odd_file_system.py"
WALK = """
import json, sys
from pathlib import Path
from indexer.scan.walk import find_videos
root = Path(sys.argv[1])
def names(*paths, **options):
    walk = find_videos([root / path for path in paths or [""]], **options)
    return [file.pathname.removeprefix(f"{root}/") for file in walk.files]
"""
LOOP_LIMIT = 60  # seconds, which no walk that ends takes


@pytest.fixture
def back(tmp_path: Path) -> Path:
    """The folder that is shown."""
    folder = tmp_path / "back"
    for name in ("a/1.mp4", "b/2.mp4", "b/b/3.mp4", "b/b/b/4.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"film")
    return folder


def shown(ways: str, back: Path, script: str) -> Any:
    """What a script prints, as JSON, that is given the odd form of a folder."""
    folder = back.with_name("shown")
    folder.mkdir()
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    inside = [sys.executable, "-c", WALK + script, str(folder.resolve())]
    command = ["unshare", "--mount", *as_root, sys.executable, str(ODD), ways, str(back)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        run = subprocess.run(
            [*command, str(folder), *inside],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
            timeout=LOOP_LIMIT,
        )
    except FileNotFoundError:
        pytest.skip("needs MOUNT: this system has no unshare")
    if "unshare" in run.stderr or "/dev/fuse" in run.stderr or "mount" in run.stderr:
        pytest.skip(f"needs MOUNT and FUSE: {run.stderr.strip().splitlines()[-1]}")
    assert run.stderr == ""
    return json.loads(run.stdout)


EVERY = ["a/1.mp4", "b/2.mp4", "b/b/3.mp4", "b/b/b/4.mp4"]


@pytest.mark.parametrize("ways", ["same", "drift", "loop", "same+loop", "drift+same"])
def test_every_video_is_found_once_whatever_numbers_folders_have(back, ways):
    assert shown(ways, back, "print(json.dumps(names()))") == EVERY


def test_a_linked_folder_of_such_a_disk_is_entered_once(back):
    (back / "a/up").symlink_to("..")
    assert shown("same", back, "print(json.dumps(names()))") == EVERY


def test_a_watched_folder_is_the_same_one_although_its_number_changes(back):
    script = """
from indexer.watch.mounts import RootMonitor
monitor = RootMonitor((root,))
print(json.dumps([len(monitor.changed()) for _ in range(5)]))
"""
    assert shown("drift", back, script) == [1, 0, 0, 0, 0]


def test_patterns_ignore_case_and_composition_where_the_file_system_does(back):
    script = """
from catalog import true_path
from catalog.globs import pathname_matcher
film = root / "b/b/b/4.mp4"
print(json.dumps([
    names(exclude=["B"]), names(include=[f"{root}/A/*.MP4"]), names("B/b"), names("b", "B/B/b"),
    pathname_matcher("B/*.MP4")(str(film)), pathname_matcher("C/*.MP4")(str(film)),
    pathname_matcher(str(root).upper())(str(film)),
    str(true_path(root / "B/B")) == str(root / "b/b"),
]))
"""
    assert shown("mac", back, script) == [
        ["a/1.mp4"], ["a/1.mp4"], EVERY[2:], EVERY[1:],
        True, False, False, True,
    ]  # fmt: skip


def test_a_given_path_gets_the_letters_that_the_file_system_has(back):
    (back / "Gr\u00f6\u00dfe").mkdir()
    (back / "Gr\u00f6\u00dfe/5.mp4").write_bytes(b"film")
    script = """
typed = "GR\\u00d6\\u00dfe"
print(json.dumps([names(typed), names(exclude=["b", "a", typed]), names(include=[typed])]))
"""
    decomposed = ["Gro\u0308\u00dfe/5.mp4"]
    assert shown("mac", back, script) == [decomposed, [], decomposed]


def test_case_counts_where_the_file_system_tells_it_apart(back):
    script = "print(json.dumps([names(exclude=['B']), names(include=[f'{root}/A'])]))"
    assert shown("same", back, script) == [EVERY, []]


YEAR = 365 * 86_400
FUTURE = 330 * YEAR  # 2300: in nanoseconds beyond 64 bits
PAST = -400 * YEAR  # 1570, likewise; few file systems hold that


def set_time(path, seconds):
    """Set the time of the last change, as far as the file system can hold it."""
    os.utime(path, ns=(seconds * 10**9, seconds * 10**9))


def test_times_of_files_are_read_by_size_and_time_alone():
    asking = [
        path.name
        for path in Path(indexer.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr.startswith("st_mtime")
    ]
    assert asking == [], "take size_and_time: it fits into the catalog"


@pytest.mark.parametrize("seconds", [FUTURE, PAST])
def test_files_with_times_beyond_64_bits_are_indexed_and_known_again(index, film, library, seconds):
    first = film("a.mp4", seconds=6)
    shutil.copy(first, library / "copy.mp4")
    (library / "bad.mp4").write_bytes(b"no film")
    film("usual.mp4", seconds=4)
    for name in ("a.mp4", "copy.mp4", "bad.mp4"):
        set_time(library / name, seconds)
    report = index()
    assert (report.indexed, report.moved, len(report.failed)) == (2, 1, 1)
    events = []
    report = index(on_event=events.append)
    assert (report.indexed, report.unchanged, len(report.failed)) == (0, 3, 1)
    assert not any(isinstance(event, FileDone) for event in events)


def test_a_change_from_one_time_beyond_64_bits_to_another_is_seen(index, film):
    path = film("a.mp4", seconds=6)
    set_time(path, FUTURE)
    index()
    film("a.mp4", seconds=6, first=90)
    set_time(path, FUTURE + 1)
    done = []
    report = index(on_event=lambda event: done.append(getattr(event, "outcome", None)))
    assert report.indexed == 1
    assert Outcome.INDEXED in done


def test_a_watch_goes_on_over_files_with_times_beyond_64_bits(film, library):
    set_time(film("a.mp4", seconds=4), FUTURE)
    passes = []

    def one_pass(paths, /, *, roots, defer):
        passes.append(tuple(paths))
        defer(find_videos(paths, roots=roots))
        if len(passes) == 2:
            raise KeyboardInterrupt
        set_time(film("b.mp4", seconds=4), FUTURE)
        return True

    with pytest.raises(KeyboardInterrupt):
        watch_library(
            [library],
            index=one_pass,
            settings=WatchSettings(settle=0.1, poll=0.1, poll_everything=True),
            on_message=lambda _: None,
        )
    assert passes == [(library,), (library,)]
