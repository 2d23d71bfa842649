"""New files: whole or not at all, and nothing is left of processes that were killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from machine.new_file import new_file, remove_leftovers

CHILD = """
import sys, time
from pathlib import Path
from machine.new_file import new_file
with new_file(Path(sys.argv[1]), replace=True) as unfinished:
    unfinished.write_text("half")
    print("begun", flush=True)
    time.sleep(60)
"""


def test_a_file_appears_whole_and_replaces_another_only_if_it_may(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    with new_file(target, replace=False) as unfinished:
        unfinished.write_text("first")
        assert not target.exists()
    with pytest.raises(FileExistsError), new_file(target, replace=False) as unfinished:
        unfinished.write_text("second")
    assert target.read_text() == "first"
    with new_file(target, replace=True) as unfinished:
        unfinished.write_text("third")
    with pytest.raises(ZeroDivisionError), new_file(target, replace=True) as unfinished:
        unfinished.write_text(str(1 / 0))
    assert target.read_text() == "third"
    assert [*tmp_path.iterdir()] == [target]


def test_a_file_system_without_links_overwrites_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "film.mp4"
    with new_file(target, replace=False) as unfinished:
        unfinished.write_text("first")
    with pytest.raises(FileExistsError), new_file(target, replace=False) as unfinished:
        unfinished.write_text("second")
    assert target.read_text() == "first"
    assert [*tmp_path.iterdir()] == [target]


def test_leftovers_of_killed_processes_are_removed_and_no_others(tmp_path: Path) -> None:
    (tmp_path / ".vsearch-of-mine.partial").touch()
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "film.mp4")], stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"begun\n"
        assert remove_leftovers(tmp_path) == 0  # it is being written
        child.send_signal(signal.SIGKILL)
    assert len([*tmp_path.iterdir()]) == 2
    assert remove_leftovers(tmp_path) == 1
    assert [one.name for one in tmp_path.iterdir()] == [".vsearch-of-mine.partial"]
    assert remove_leftovers(tmp_path / "nowhere") == 0
