"""Benchmark of unchanged libraries, on a library of a few videos."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.unchanged_library import Round, conditions, make_videos, measure, prepare, table
from catalog import Catalog
from indexer import find_videos, read_fingerprint
from media import probe


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("benchmark"), videos=3)


def test_the_videos_can_be_read_and_all_differ(tmp_path):
    make_videos(tmp_path / "videos", videos=102)
    files = find_videos([tmp_path / "videos"]).files
    assert {file.path.parent.name for file in files} == {"folder 0000", "folder 0001"}
    assert len({read_fingerprint(file.path) for file in files}) == 102
    assert [probe(file.path).duration for file in files[-2:]] == [4.0, 4.0]


def test_every_video_is_in_the_catalog_with_a_clip_that_can_be_found(library):
    with Catalog.open(library.catalog) as catalog:
        status = catalog.status()
        assert (status.files, status.videos, status.clips) == (3, 3, 3)
        known = catalog.known_files([library.folder])
    assert set(known) == {file.pathname for file in find_videos([library.folder]).files}


def test_each_round_times_runs_that_found_nothing_to_do(library):
    (taken,) = measure(library, rounds=1)
    assert min(taken.find, taken.read, taken.start, taken.call) > 0
    assert taken.command > taken.call
    assert "3 videos" in conditions(library, rounds=1)


def test_a_run_that_finds_nothing_to_do_imports_no_heavy_library(library):
    code = (
        "import sys\n"
        "from vsearch.__main__ import run\n"
        "code = run(['index', sys.argv[1], '--catalog', sys.argv[2], '--quiet'])\n"
        "heavy = {'torch', 'faiss', 'av', 'tokenizers', 'streamlit', 'rich.progress'}\n"
        "imported = heavy & sys.modules.keys()\n"
        "sys.exit(f'imported {imported}' if imported else code)\n"
    )
    repository = Path(__file__).parents[2]
    command = [sys.executable, "-c", code, library.folder, library.catalog]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_library_that_has_changed_is_not_measured(library):
    film = next(library.folder.rglob("*.mp4"))
    content = film.read_bytes()
    film.unlink()
    with pytest.raises(SystemExit, match="the measurement is not valid"):
        next(measure(library, rounds=1))
    film.write_bytes(content)


def test_ratios_are_taken_round_by_round():
    slow_and_fast = [Round(4.0, 4.0, 16.0, 8.0, 12.0), *[Round(1.0, 1.0, 4.0, 2.0, 3.0)] * 2]
    lines = table(slow_and_fast).splitlines()
    assert "| whole process / (find + read) | 2.00 | 2.00 to 2.00 |" in lines
    assert "| `index_library` alone / (find + read) | 1.50 | 1.50 to 1.50 |" in lines
    assert "| `find` with sizes and times | 1000 ms | 1000 ms to 2500 ms |" in lines
