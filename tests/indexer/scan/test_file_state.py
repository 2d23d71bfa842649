"""Times of files that no calendar knows: they end no run, and hide no change."""

import ast
import os
import shutil
from pathlib import Path

import pytest

import indexer
from indexer import FileDone, Outcome, WatchSettings, find_videos, watch_library
from indexer.scan.file_state import size_and_time

YEAR = 365 * 86_400
FUTURE = 330 * YEAR  # 2300: in nanoseconds beyond 64 bits
PAST = -400 * YEAR  # 1570, likewise; few file systems hold that


def set_time(path, seconds):
    """Give the file this time of change, so far as the file system can hold it."""
    os.utime(path, ns=(seconds * 10**9, seconds * 10**9))


def state(mtime_ns, size=5):
    return os.stat_result((0o100644, 1, 1, 1, 0, 0, size, 0, 0, 0), {"st_mtime_ns": mtime_ns})


@pytest.mark.parametrize("seconds", [-(2**62), PAST, -1, 0, 1_700_000_000, FUTURE, 2**62])
def test_any_time_fits_into_64_bits_and_differs_from_the_next(seconds):
    times = [size_and_time(state(seconds * 10**9 + n))[1] for n in range(3)]
    assert all(-(2**63) <= time < 2**63 for time in times)
    assert len(set(times)) == 3


def test_a_usual_time_is_itself():
    assert size_and_time(state(1_700_000_000_123_456_789, size=7)) == (7, 1_700_000_000_123_456_789)


def test_nothing_else_asks_for_the_time_of_a_file():
    asking = [
        path.name
        for path in Path(indexer.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr.startswith("st_mtime")
    ]
    assert asking == ["file_state.py"], "take size_and_time: it fits into the catalog"


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
