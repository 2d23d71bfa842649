"""What is kept to save time: found again, bounded, private, and never in the way."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from vsearch.services.file_cache import FileCache

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "things"


@pytest.fixture
def cache(folder: Path) -> FileCache:
    return FileCache(folder, capacity=4)


def grow_old(folder: Path) -> None:
    """As if all that is there had been put an hour earlier than it was."""
    for path in folder.iterdir():
        then = path.stat().st_mtime_ns - 3_600_000_000_000
        os.utime(path, ns=(then, then))


def test_a_value_is_found_under_its_key_by_whoever_looks(cache: FileCache, folder: Path) -> None:
    cache.put(b"one", b"1")
    cache.put(b"two", b"")
    again = FileCache(folder, capacity=4)
    assert (again.get(b"one"), again.get(b"two"), again.get(b"three")) == (b"1", b"", None)
    cache.put(b"one", b"another")
    assert again.get(b"one") == b"another"


def test_nothing_is_made_by_looking(cache: FileCache, tmp_path: Path) -> None:
    assert cache.get(b"one") is None
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_go(cache: FileCache, folder: Path) -> None:
    for number in range(7):
        cache.put(b"%d" % number, b"value")
        grow_old(folder)
    kept = [number for number in range(7) if cache.get(b"%d" % number)]
    assert kept == [3, 4, 5, 6]
    assert len(list(folder.iterdir())) == 4


def test_only_the_owner_can_read_it_and_names_tell_nothing(cache: FileCache, folder: Path) -> None:
    cache.put(b"a secret question", b"value")
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert b"secret" not in file.read_bytes() + os.fsencode(file.name)


@pytest.mark.parametrize("place", [0, 20, 40, -1])
def test_a_damaged_value_counts_for_nothing(cache: FileCache, folder: Path, place: int) -> None:
    cache.put(b"one", b"a value of some length")
    (file,) = folder.iterdir()
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    assert cache.get(b"one") is None


@pytest.mark.parametrize("kept", [0, 10, 32, 40])
def test_a_value_that_was_cut_short_counts_for_nothing(
    cache: FileCache, folder: Path, kept: int
) -> None:
    cache.put(b"one", b"a value of some length")
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:kept])
    assert cache.get(b"one") is None
    cache.put(b"one", b"again")
    assert cache.get(b"one") == b"again"


def test_a_value_under_another_keys_name_counts_for_nothing(cache: FileCache, folder: Path) -> None:
    cache.put(b"one", b"1")
    (one,) = folder.iterdir()
    content = one.read_bytes()
    one.unlink()
    cache.put(b"two", b"2")
    (two,) = folder.iterdir()
    two.write_bytes(content)
    assert cache.get(b"two") is None


def test_a_folder_that_cannot_be_made_or_written_to_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in its place")
    cache = FileCache(tmp_path / "file" / "things", capacity=4)
    cache.put(b"one", b"1")
    assert cache.get(b"one") is None


def test_many_processes_at_once_spoil_nothing(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from vsearch.services.file_cache import FileCache\n"
        "cache = FileCache(Path(sys.argv[1]), capacity=8)\n"
        "for number in range(200):\n"
        "    key = b'%d' % (number % 12)\n"
        "    cache.put(key, key * 300)\n"
        "    assert cache.get(key) in (None, key * 300)\n"
    )
    command = [sys.executable, "-c", code, str(folder)]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert 1 <= len(list(folder.iterdir())) <= 8
