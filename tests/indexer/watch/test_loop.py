"""The watch over real folders: what it has indexed when, while things happen there."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import indexer
from indexer import WatchSettings, find_videos, watch_library

Action = Callable[[], Any]


class Passes:
    """Walks in each pass as an index run does, acts, and ends the watch after the last action."""

    def __init__(self, *actions: Action) -> None:
        self._actions = list(actions)
        self.asked: list[tuple[tuple[Path, ...], frozenset[Path]]] = []
        self.roots: set[frozenset[Path]] = set()
        self.messages: list[str] = []
        self.ignore_files = True

    def __call__(self, paths: Any, /, *, roots: frozenset[Path], defer: Callable[..., Any]) -> bool:
        present = [path for path in paths if path.exists()]
        walk = find_videos(present, roots=roots, ignore_files=self.ignore_files)
        self.asked.append((tuple(paths), frozenset(defer(walk))))
        self.roots.add(roots)
        if not self._actions:
            raise KeyboardInterrupt
        return self._actions.pop(0)() is not False

    def watch(
        self, *paths: Path, ignore_files: bool = True, **settings: Any
    ) -> list[tuple[Path, ...]]:
        """The paths of each pass."""
        self.ignore_files = ignore_files
        with pytest.raises(KeyboardInterrupt):
            watch_library(
                paths,
                index=self,
                settings=WatchSettings(settle=0.1, **settings),
                ignore_files=ignore_files,
                on_message=self.messages.append,
            )
        return [folders for folders, _ in self.asked]


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    for name in "xyz":
        (folder / name).mkdir(parents=True)
        (folder / name / "a.mp4").write_bytes(name.encode())
        os.utime(folder / name / "a.mp4", (1e9, 1e9))  # nothing has happened to it for long
    return folder


def write(path: Path) -> Action:
    """Puts a video in place in one step, which is one event."""

    def action() -> None:
        unnoticed = path.with_name(".being-written")
        unnoticed.write_bytes(b"a film")
        unnoticed.replace(path)

    return action


modes = pytest.mark.parametrize(
    "mode", [{}, {"poll": 0.1, "poll_everything": True}], ids=["events", "polling"]
)


@modes
def test_the_first_pass_is_over_everything_and_later_ones_over_what_has_changed(films, mode):
    passes = Passes(write(films / "x" / "b.mp4"), (films / "y" / "a.mp4").unlink)
    assert passes.watch(films, **mode) == [(films,), (films / "x",), (films / "y",)]


@modes
def test_a_move_between_two_folders_is_one_pass_over_both(films, mode):
    move = lambda: (films / "x" / "a.mp4").rename(films / "z" / "b.mp4")  # noqa: E731
    assert Passes(move).watch(films, **mode) == [(films,), (films / "x", films / "z")]


@modes
def test_a_folder_that_goes_is_looked_for_in_the_one_above(films, mode):
    gone = films / "x"
    assert Passes(lambda: shutil.rmtree(gone)).watch(films, **mode) == [(films,), (films,)]


@modes
def test_what_happens_during_a_pass_is_not_missed(films, mode):
    def much() -> None:
        for number in range(20):
            (films / "x" / f"{number}.mp4").write_bytes(b"a film")

    assert Passes(much).watch(films, **mode) == [(films,), (films / "x",)]


@modes
def test_a_watched_folder_that_is_replaced_is_watched_as_before(films, mode):
    def replace() -> None:
        films.rename(films.with_name("old"))
        (films / "new").mkdir(parents=True)

    passes = Passes(replace, write(films / "new" / "a.mp4"))
    assert passes.watch(films, **mode) == [(films,), (films,), (films / "new",)]


@modes
def test_a_watched_folder_that_goes_is_watched_again_when_it_is_back(films, mode):
    away = films.with_name("away")
    passes = Passes(
        lambda: films.rename(away), lambda: away.rename(films), write(films / "x" / "b.mp4")
    )
    assert passes.watch(films, **mode) == [(films,), (films,), (films,), (films / "x",)]


def test_a_single_file_can_be_watched(films):
    film = films / "x" / "a.mp4"
    assert Passes(write(film)).watch(film) == [(film,), (film,)]


def test_of_paths_in_each_other_the_outermost_is_watched(films):
    passes = Passes(write(films / "x" / "b.mp4"))
    assert passes.watch(films / "x", films, films / "x" / "a.mp4") == [(films,), (films / "x",)]
    assert passes.roots == {frozenset({films})}


def test_what_happens_behind_a_link_is_found_by_looking_through(films, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.mp4").write_bytes(b"linked")
    os.utime(elsewhere / "a.mp4", (1e9, 1e9))
    (films / "link").symlink_to(elsewhere)
    passes = Passes(write(elsewhere / "b.mp4"))
    assert passes.watch(films, poll=0.1) == [(films,), (films,)]  # by the name with the link


def test_a_link_to_a_folder_that_comes_is_followed_and_looked_behind(films, tmp_path):
    far = tmp_path / "far"
    far.mkdir()
    link, renamed = films / "link", films / "way"
    passes = Passes(
        lambda: link.symlink_to(far),
        write(far / "b.mp4"),
        lambda: link.rename(renamed),
        write(far / "c.mp4"),
    )
    assert passes.watch(films, poll=0.1) == [(films,)] * 5


@modes
@pytest.mark.parametrize("name", [".nomedia", ".plexignore"])
def test_an_ignore_file_that_comes_and_goes_is_noticed(films, mode, name):
    mark = films / "x" / name
    passes = Passes(lambda: mark.write_text("a.mp4"), mark.unlink)
    assert passes.watch(films, **mode) == [(films,), (films / "x",), (films / "x",)]


def test_ignore_files_are_no_matter_where_they_do_not_count(films):
    (films / "x" / ".nomedia").touch()
    passes = Passes(write(films / "x" / "b.mp4"))
    polling = {"poll": 0.1, "poll_everything": True}
    assert passes.watch(films, ignore_files=False, **polling) == [(films,), (films / "x",)]


@pytest.mark.skipif(sys.platform != "linux", reason="nothing of watchdog's own is used elsewhere")
def test_with_a_watchdog_that_is_built_otherwise_all_is_looked_through(films, monkeypatch):
    monkeypatch.delitem(sys.modules, "indexer.watch.events", raising=False)
    monkeypatch.delattr(indexer.watch, "events", raising=False)
    monkeypatch.delattr("watchdog.observers.inotify_c.WatchCallback")
    passes = Passes(write(films / "x" / "b.mp4"))
    assert passes.watch(films, poll=0.1) == [(films,), (films / "x",)]
    (told,) = passes.messages
    assert "WatchCallback" in told
    assert told.endswith("install `watchdog>=7.1,<8`; until then all is looked through every 0.1 s")


def test_a_pass_that_could_not_be_made_is_made_later(films):
    passes = Passes(lambda: False, lambda: False, write(films / "x" / "b.mp4"))
    assert passes.watch(films) == [(films,), (films,), (films,), (films / "x",)]


def test_everything_is_looked_through_now_and_then_even_if_nothing_was_told(films):
    assert Passes(lambda: None, lambda: None).watch(films, recheck=0.2) == [(films,)] * 3


def test_what_was_written_a_moment_ago_is_held_back_in_the_first_pass(films):
    passes = Passes(lambda: None)
    fresh = films / "x" / "fresh.mp4"
    fresh.write_bytes(b"a film")
    passes.watch(films, recheck=100)
    assert fresh in passes.asked[0][1]
    assert fresh not in passes.asked[1][1]


@pytest.fixture
def listings(monkeypatch) -> list[str]:
    """The folders that were listed, in order."""
    listed: list[str] = []
    scandir = os.scandir

    def count(path: Any) -> Any:
        if isinstance(path, str):  # watchdog's own are bytes
            listed.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", count)
    return listed


@modes
def test_a_pass_over_everything_lists_each_folder_once(films, mode, listings):
    passes = Passes(*[lambda: None] * 3)
    passes.watch(films, **{**mode, "poll": 0.1, "recheck": 0.1})
    walked = [path for path in listings if path.startswith(str(films))]
    assert walked == [str(films / name) for name in ("", "x", "y", "z")] * len(passes.asked)


def test_a_poll_lists_each_folder_once(films, listings):
    poll = 0.2
    begin = time.monotonic()
    in_first_pass = []

    def write_one() -> None:
        in_first_pass.append(listings.count(str(films)))
        write(films / "x" / "b.mp4")()

    Passes(write_one).watch(films, poll=poll, poll_everything=True, recheck=1000)
    assert in_first_pass == [1]  # the first pass counts as a poll
    polls = listings.count(str(films)) - 1  # the second pass lists another folder
    assert 1 <= polls <= 1 + (time.monotonic() - begin) / poll


def test_nothing_is_said_where_all_can_be_heard(films):
    passes = Passes(lambda: None)
    passes.watch(films, recheck=0.1)
    assert passes.messages == []
