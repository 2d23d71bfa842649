"""An index run in a process of its own: followed, stopped, never two at once."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from media import write_video
from tests.tiny_xclip import save_tiny_xclip
from vsearch.errors import IndexPathError, IndexRunningError
from vsearch.services.library.detached_index import DetachedIndex, RunState
from vsearch.settings import Settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    model = save_tiny_xclip(home / "model")
    return Settings(home=home, catalog=home / "catalog", model=str(model))


def film(path: Path, *, seconds: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = (np.full((48, 64, 3), number % 200, np.uint8) for number in range(4 * seconds))
    write_video(path, frames, frame_rate=4)
    return path


def state_when(runs: DetachedIndex, meets: Callable[[RunState], bool]) -> RunState:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        state = runs.state()
        if state is not None and meets(state):
            return state
        time.sleep(0.05)
    raise AssertionError(f"it did not come to that: {runs.state()}")


def test_a_run_is_followed_by_others_and_tells_its_result(settings: Settings) -> None:
    runs, others = DetachedIndex(settings), DetachedIndex(settings)
    assert runs.state() is None
    runs.stop()  # there is none: nothing happens
    path = film(settings.home / "videos" / "a.mp4", seconds=9)
    runs.start([path.parent])
    assert others.state().running  # type: ignore[union-attr]
    with pytest.raises(IndexRunningError, match="goes on already"):
        others.start([path.parent])
    state = state_when(others, lambda state: not state.running)
    assert (state.paths, state.messages) == ((str(path.parent),), ())
    assert state.result is not None
    assert state.result["indexed"] == 1


def test_a_run_that_is_stopped_ends_in_order(settings: Settings) -> None:
    runs = DetachedIndex(settings)
    for number in range(40):
        film(settings.home / "many" / f"{number:02}.mp4", seconds=20 + number)
    runs.start([settings.home / "many"])
    state_when(runs, lambda state: state.progress is not None)
    runs.stop()
    state = state_when(runs, lambda state: not state.running)
    assert state.result is not None
    assert state.result["interrupted"]


def test_what_cannot_be_done_is_told_by_the_run(settings: Settings) -> None:
    runs = DetachedIndex(settings)
    runs.start([settings.home / "not there"], retry_failed=True)
    state = state_when(runs, lambda state: not state.running)
    assert state.result is None
    assert "not there" in state.messages[-1]


def test_only_whole_paths_that_are_there_are_begun(settings: Settings) -> None:
    runs = DetachedIndex(settings)
    for path, says in (
        (Path("films"), "'films' is not a whole path; give one such as"),
        (Path("/films\0"), "is not a whole path"),
        (settings.home / "lost", "lost is not there; look at its spelling"),
    ):
        with pytest.raises(IndexPathError, match=says):
            runs.start([path])


def test_events_are_read_piece_by_piece_and_those_of_another_run_from_their_beginning(
    settings: Settings,
) -> None:
    runs = DetachedIndex(settings)
    film(settings.home / "more" / "one.mp4", seconds=5)
    runs.start([settings.home / "more"])
    state_when(runs, lambda state: not state.running)
    whole = runs.events()
    assert not whole.running
    names = [event["event"] for _, event in whole.events]
    assert "walked" in names
    first, *others = whole.events
    rest = runs.events(run=whole.run, after=first[0])
    assert list(rest.events) == others
    assert runs.events(run=whole.run, after=whole.after).events == ()
    assert runs.events(run=whole.run + 1, after=whole.after).events == whole.events
