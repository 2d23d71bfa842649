"""The walk over real file systems of the odd kinds: merged, bridged, in themselves, and macOS's."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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
def test_every_film_is_found_once_whatever_numbers_folders_have(back, ways):
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
from catalog import path_matcher, true_path
film = root / "b/b/b/4.mp4"
print(json.dumps([
    names(exclude=["B"]), names(include=[f"{root}/A/*.MP4"]), names("B/b"), names("b", "B/B/b"),
    path_matcher("B/*.MP4")(film), path_matcher("C/*.MP4")(film),
    path_matcher(str(root).upper())(film), str(true_path(root / "B/B")) == str(root / "b/b"),
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
