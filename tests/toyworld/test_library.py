import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from media import decode_at, probe
from toyworld.film import plan_events
from toyworld.library import TRUTH, make_library
from toyworld.world import COMBINATIONS, HELD_OUT


@pytest.fixture(scope="module")
def library_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    make_library(folder, seed=3, films=2, events_per_film=2)
    return folder


def test_events_are_apart_and_inside_the_film() -> None:
    events, duration = plan_events(COMBINATIONS[:6], np.random.default_rng(0))
    assert events[0].start >= 2
    for event, following in pairwise(events):
        assert event.end - event.start >= 7.9
        assert following.start - event.end >= 4.9
    assert events[-1].end < duration


def test_files_have_the_durations_that_the_truth_tells(library_folder: Path) -> None:
    for film in make_library(library_folder, seed=3, films=2, events_per_film=2):
        video = probe(film.path)
        assert video.codec == "h264"
        assert video.duration == pytest.approx(film.duration, abs=0.1)


def test_a_shape_is_seen_during_events_and_at_no_other_time(library_folder: Path) -> None:
    for film in make_library(library_folder, seed=3, films=2, events_per_film=2):
        empty = [0.5, film.events[0].end + 1, film.duration - 0.5]
        full = [(event.start + event.end) / 2 for event in film.events]
        times = sorted(empty + full)
        pictures = {
            f: p.pixels for f, p in zip(times, decode_at(probe(film.path), times), strict=True)
        }
        backdrop = pictures[0.5].astype(int)
        strays = {t: (np.abs(p - backdrop).max(axis=2) > 45).mean() for t, p in pictures.items()}
        assert max(strays[t] for t in empty) < 0.002
        assert min(strays[t] for t in full) > 0.01


def test_a_library_that_is_there_is_not_made_again(library_folder: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in library_folder.iterdir()}
    rendered = []
    make_library(library_folder, seed=3, films=2, events_per_film=2, on_film=rendered.append)
    assert rendered == []
    assert {p: p.stat().st_mtime_ns for p in library_folder.iterdir()} == before


def test_the_same_seed_makes_the_same_files(library_folder: Path, tmp_path: Path) -> None:
    first = make_library(library_folder, seed=3, films=2, events_per_film=2)
    second = make_library(tmp_path / "again", seed=3, films=2, events_per_film=2)
    for a, b in zip(first, second, strict=True):
        assert a.path.read_bytes() == b.path.read_bytes()
        assert a.events == b.events


def test_an_interrupted_or_other_library_is_made_anew(tmp_path: Path) -> None:
    one = make_library(tmp_path, seed=1, films=1, events_per_film=1)
    (tmp_path / TRUTH).unlink()
    rendered = []
    again = make_library(tmp_path, seed=1, films=1, events_per_film=1, on_film=rendered.append)
    assert len(rendered) == 1
    assert again == one
    other = make_library(tmp_path, seed=2, films=1, events_per_film=1)
    assert other[0].events != one[0].events


def test_each_film_holds_something_that_training_never_showed(tmp_path: Path) -> None:
    library = make_library(tmp_path, seed=5, films=2, events_per_film=2)
    shown = [event.combination for film in library for event in film.events]
    assert len(set(shown)) == len(shown)
    for film in library:
        assert sum(event.combination in HELD_OUT for event in film.events) >= 1
    truth = json.loads((tmp_path / TRUTH).read_text(encoding="utf-8"))
    assert truth["films"][0]["events"][0]["caption"] == library[0].events[0].caption
