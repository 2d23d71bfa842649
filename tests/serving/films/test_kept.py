"""Kept files: bounded, whole or missing, for the owner alone, and never in the way."""

import os
import time
from pathlib import Path

import pytest

from serving.films.kept import KeptFiles


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_the_bound_holds_and_what_was_read_last_stays(tmp_path: Path) -> None:
    kept = KeptFiles(tmp_path, max_bytes=1000)
    for number in range(50):
        kept.keep(f"{number}", bytes([number]) * 100)
        assert kept.read("0") == b"\0" * 100
        assert size_of(tmp_path) <= 1000
    assert kept.read("1") is None
    assert kept.read("49") == bytes([49]) * 100


def test_a_file_that_is_larger_than_the_bound_leaves_nothing(tmp_path: Path) -> None:
    KeptFiles(tmp_path, max_bytes=10).keep("a", b"x" * 100)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_like_the_rest(tmp_path: Path) -> None:
    (tmp_path / "half.new").write_bytes(b"x" * 900)
    os.utime(tmp_path / "half.new", (0, 0))
    KeptFiles(tmp_path, max_bytes=1000).keep("a", b"x" * 200)
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [200]


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    kept = KeptFiles(tmp_path / "kept", max_bytes=1000)
    recording, dropped = kept.record("a"), kept.record("b")
    for piece in (b"one ", b"two"):
        recording.write(piece)
        dropped.write(piece)
        assert kept.read("a") is None
    recording.end(keep=True)
    recording.write(b"late")
    dropped.end(keep=False)
    assert (kept.read("a"), kept.read("b")) == (b"one two", None)
    (path,) = (tmp_path / "kept").iterdir()
    assert (path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)


def test_without_a_folder_nothing_is_kept_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    kept = KeptFiles(tmp_path / "file" / "deeper", max_bytes=1000)
    kept.keep("a", b"content")
    assert kept.read("a") is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device but on Linux")
def test_a_full_disk_ends_a_recording_without_a_word(tmp_path: Path) -> None:
    kept = KeptFiles(tmp_path, max_bytes=1000)
    recording = kept.record("a")
    (unfinished,) = tmp_path.iterdir()
    number = os.open("/dev/full", os.O_WRONLY)
    assert recording._file is not None
    os.dup2(number, recording._file.fileno())
    os.close(number)
    recording.write(b"content")
    recording.end(keep=True)
    assert kept.read("a") is None
    assert not unfinished.exists()


def test_many_files_are_kept_fast(tmp_path: Path) -> None:
    """Not each looks at all others."""
    kept = KeptFiles(tmp_path, max_bytes=1 << 30)
    begun = time.process_time()
    for number in range(500):
        kept.keep(f"{number}", b"x")
    assert time.process_time() - begun < 2
