"""Files that a walk did not find: gone, or on a disk that is not there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalog import FileState
from indexer.report import LeftOut
from indexer.scan.missing import UNREAD_SIZE, missing_files
from indexer.scan.walk import find_videos

REPOSITORY = Path(__file__).parents[3]


def known(*paths, video_id=1, size=5):
    return {
        str(path): FileState(size, 1, video_id, None if video_id else "broken") for path in paths
    }


def found_in(library, *, was_known, mounts=(), missing=()):
    return missing_files(
        was_known, walk=find_videos([library]), missing_roots=missing, noted_mounts=mounts
    )


def test_a_file_that_is_no_more_is_gone_and_one_that_was_only_left_out_is_not(library):
    (library / "there.txt").touch()
    lost, left_out = library / "lost.mp4", library / "there.txt"
    vanished = found_in(library, was_known=known(lost, left_out))
    assert (vanished.gone, vanished.absent) == ((lost,), ())


def test_files_of_an_emptied_folder_inside_the_library_are_gone(library):
    (library / "sub").mkdir()
    (library / "other.mp4").touch()
    vanished = found_in(library, was_known=known(library / "sub/a.mp4"))
    assert vanished.gone == (library / "sub/a.mp4",)


def test_a_folder_where_a_disk_was_mounted_keeps_its_files_while_it_is_not(library):
    usb = library / "usb"
    usb.mkdir()
    (library / "other.mp4").touch()
    lost = [usb / "a.mp4", usb / "deep/b.mp4"]
    vanished = found_in(library, was_known=known(*lost, library / "c.mp4"), mounts=[usb])
    assert vanished.gone == (library / "c.mp4",)
    assert [failure.path for failure in vanished.absent] == [usb]
    assert (
        "or its disk is not mounted: 2 files of it stay in the catalog" in vanished.absent[0].reason
    )
    usb.rmdir()  # desktops remove the folder as well
    vanished = found_in(library, was_known=known(*lost), mounts=[usb])
    assert (vanished.gone, len(vanished.absent)) == ((), 1)


def test_a_disk_that_a_pattern_leaves_out_is_not_taken_for_one_that_is_not_mounted(library):
    usb = library / "usb"
    usb.mkdir()
    (usb / "a.mp4").touch()
    walk = find_videos([library], exclude=["usb"])
    was_known = known(usb / "a.mp4", usb / "gone.mp4")
    vanished = missing_files(was_known, walk=walk, missing_roots=(), noted_mounts=[usb])
    assert vanished.left_out == (LeftOut(usb, 1),)
    assert vanished.gone == ()
    assert [failure.path for failure in vanished.absent] == [usb]


def test_where_the_files_of_a_disk_lie_on_another_one_now_it_is_an_ordinary_folder(library):
    usb = library / "usb"
    usb.mkdir()
    (usb / "a.mp4").touch()
    vanished = found_in(library, was_known=known(usb / "a.mp4", usb / "b.mp4"), mounts=[usb])
    assert (vanished.gone, vanished.absent) == ((usb / "b.mp4",), ())


def test_a_link_to_a_disk_that_is_not_there_keeps_its_files(library, tmp_path):
    (library / "other.mp4").touch()
    (library / "archive").symlink_to(tmp_path / "not mounted")
    vanished = found_in(library, was_known=known(library / "archive/a.mp4"))
    assert vanished.gone == ()
    assert [failure.path for failure in vanished.absent] == [library / "archive"]


def test_a_file_whose_name_is_a_folders_now_is_gone(library):
    (library / "a.mp4").mkdir()
    (library / "b.mp4").touch()
    assert found_in(library, was_known=known(library / "a.mp4")).gone == (library / "a.mp4",)


def test_a_refusal_that_does_not_come_again_is_no_removal(library):
    (library / "sub").mkdir()
    (library / "b.mp4").touch()
    refused = known(library / "sub", video_id=None, size=UNREAD_SIZE)
    vanished = found_in(library, was_known=refused)
    assert (vanished.gone, vanished.recovered) == ((), (library / "sub",))


def test_a_given_path_that_is_not_there_keeps_what_is_known_of_it(
    index, film, catalog, library, tmp_path
):
    film("a.mp4", seconds=3)
    usb = tmp_path / "usb"
    film("b.mp4", seconds=3, first=90).rename(library / "moving.mp4")
    usb.mkdir()
    (library / "moving.mp4").rename(usb / "b.mp4")
    assert index(library, usb).indexed == 2
    usb.rename(tmp_path / "elsewhere")
    report = index(library, usb)
    assert (report.unchanged, report.removed) == (1, 0)
    assert [failure.path for failure in report.failed] == [usb]
    assert catalog.status().files == 2


def test_entries_that_are_no_files_are_listed_kept_account_of_and_dropped_when_they_go(
    index, film, catalog, library
):
    film("a.mp4", seconds=3)
    os.mkfifo(library / "pipe.mp4")
    (library / "dangling.mp4").symlink_to(library / "nothing")
    for _ in range(2):
        report = index()
        names = [failure.path.name for failure in report.failed]
        assert names == ["dangling.mp4", "pipe.mp4"]
        assert [failure.path.name for failure in catalog.status().failures] == names
    (library / "pipe.mp4").unlink()
    (library / "dangling.mp4").unlink()
    report = index()
    assert (report.failed, report.removed) == ((), 0)
    assert catalog.status().failures == ()


MOUNTING = """
import subprocess, sys
from pathlib import Path
from catalog import Catalog
from indexer import IndexSettings, index_library
from tests.indexer.colours import ColourEmbedder

library, folder, films = map(Path, sys.argv[1:])
usb = library / "usb"

def index(*paths):
    with Catalog.open(folder, create=True) as catalog:
        report = index_library(
            paths, catalog=catalog, model=ColourEmbedder(), settings=IndexSettings(workers=1)
        )
        kept = [str(failure.path.relative_to(library)) for failure in report.failed]
        print(report.indexed, report.unchanged, report.removed, kept, catalog.status().files)

if __name__ == "__main__":
    subprocess.run(["mount", "-t", "tmpfs", "none", usb], check=True)
    for path in films.iterdir():
        (usb / path.name).write_bytes(path.read_bytes())
    index(library)
    subprocess.run(["umount", usb], check=True)
    index(library)
    index(usb)
    subprocess.run(["mount", "-t", "tmpfs", "none", usb], check=True)
    (usb / "a.mp4").write_bytes((films / "a.mp4").read_bytes())
    index(library)
"""


def _can_mount() -> bool:
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _can_mount(), reason="MOUNT: this process may not mount file systems")
def test_a_real_disk_comes_and_goes(film, library, tmp_path):
    films = tmp_path / "films"
    films.mkdir()
    for name, first in (("a.mp4", 20), ("b.mp4", 90)):
        film(name, seconds=3, first=first).rename(films / name)
    film("c.mp4", seconds=3, first=160)
    (library / "usb").mkdir()
    script = tmp_path / "mounting.py"
    script.write_text(MOUNTING)
    done = subprocess.run(
        ["unshare", "-m", sys.executable, script, library, tmp_path / "catalog", films],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "3 0 0 [] 3",
        "0 1 0 ['usb'] 3",
        "0 0 0 ['usb'] 3",
        "0 2 1 [] 2",
    ], done.stderr
