"""How many moments of a video there are, and what shows the same, over a real catalog."""

from dataclasses import replace

import numpy as np
import pytest

from catalog import (
    Catalog,
    ClipSpan,
    FileLocation,
    FrameVectors,
    Provenance,
    QuantisedVectors,
    VideoRecord,
)
from search import PLAIN, Asked, InvalidLimitError, Searcher, SearchSettings
from tests.search.moments.test_of_clips import FILMS, bank
from tests.search.test_searcher import IDENTITY, WORDS, mixed, words

HOME = [("kitchen", 21, 34), ("snow", 40, 52), ("kitchen", 60, 66), ("train", 70, 78)]


def seconds_of(shown, *, duration):
    seconds = np.tile(mixed("nothing"), (duration, 1))
    for word, start, end in shown:
        seconds[start:end] = mixed(word)
    return seconds


def add(catalog, name, seconds, *, frames=True, noise=0.0):
    """A film of these vectors (S, D), one a second, with some noise on each."""
    rng = np.random.default_rng(5)
    seconds = seconds + noise * rng.standard_normal(seconds.shape).astype(np.float32)
    seconds /= np.linalg.norm(seconds, axis=1, keepdims=True)
    starts = range(0, max(1, len(seconds) - 7), 4)
    vectors = np.stack([seconds[start : start + 8].mean(axis=0) for start in starts])
    catalog.add_video(
        VideoRecord(name, float(len(seconds)), 64, 48, 25.0, "h264", "mp4"),
        location=FileLocation(FILMS, FILMS / name, 1, 1),
        clips=[ClipSpan(float(start), start + 8.0) for start in starts],
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        frames=FrameVectors(np.arange(len(seconds)) + 0.5, QuantisedVectors.of(seconds))
        if frames
        else None,
    )


@pytest.fixture
def catalog(tmp_path):
    with Catalog.open(tmp_path / "catalog", create=True) as catalog:
        catalog.bind(Provenance("words", None, IDENTITY.model_digest, len(WORDS), 8, 8.0, 4.0))
        shown = [("beach", 3, 40), ("train", 60, 90)]
        add(catalog, "background.mp4", seconds_of(shown, duration=200))
        add(catalog, "home.mp4", seconds_of(HOME, duration=90))
        yield catalog


@pytest.fixture
def ask(catalog):
    """Ask for kitchens; the hits."""

    def ask(*, parts=None, **asked):
        searcher = Searcher(
            catalog=catalog, load_embedder=words, bank=bank, settings=parts or SearchSettings()
        )
        return searcher.answer(replace(Asked.of("kitchen"), **asked)).hits

    return ask


def places(hits):
    return [(hit.path.name, hit.start, hit.end) for hit in hits]


def test_no_more_moments_of_a_video_than_asked_for(ask):
    every = places(ask(limit=6))
    assert [name for name, *_ in every[:2]] == ["home.mp4", "home.mp4"]
    one_each = places(ask(limit=2, per_video=1))
    assert one_each[0] == every[0]
    assert sorted(name for name, *_ in one_each) == ["background.mp4", "home.mp4"]
    assert places(ask(limit=6, per_video=6)) == every
    for parts in (SearchSettings(moments=False), PLAIN):
        assert len({hit.path for hit in ask(limit=2, per_video=1, parts=parts)}) == 2


def test_a_long_video_that_fills_the_first_scan_leaves_room_for_others(catalog, ask):
    shown = [("kitchen", start, start + 9) for start in range(5, 5900, 20)]
    add(catalog, "long.mp4", seconds_of(shown, duration=6000))
    names = [hit.path.name for hit in ask(limit=3, per_video=1)]
    assert sorted(names) == ["background.mp4", "home.mp4", "long.mp4"]


def test_a_limit_for_a_video_below_0_is_refused(ask):
    with pytest.raises(InvalidLimitError, match="at least 1, or 0"):
        ask(per_video=-1)


@pytest.mark.parametrize("frames", [True, False], ids=["frames", "clips alone"])
def test_a_re_encoded_video_is_folded(catalog, ask, frames):
    if not frames:
        catalog.remove_files([FILMS / "home.mp4"])
        add(catalog, "home.mp4", seconds_of(HOME, duration=90), frames=False)
    add(catalog, "again.mp4", seconds_of(HOME, duration=90), noise=0.05, frames=frames)
    first, second = ask(limit=2, fold=True)
    assert {first.path, second.path} <= {FILMS / "home.mp4", FILMS / "again.mp4"}
    assert abs(first.start - second.start) > 20
    for hit in (first, second):
        (other,) = hit.duplicates
        assert {hit.path.name, other.path.name} == {"home.mp4", "again.mp4"}
        assert other.start == pytest.approx(hit.start, abs=0.5)
        assert other.end == pytest.approx(hit.end, abs=0.5)
        assert other.rank == hit.rank
        assert hit.score >= other.score > 0.9
        assert other.confidence is not None
    assert [hit.duplicates for hit in ask(limit=2)] == [(), ()]


def test_duplicates_are_counted_below_the_last_moment_that_is_shown(catalog, ask):
    add(catalog, "again.mp4", seconds_of(HOME, duration=90), noise=0.05)
    add(catalog, "third.mp4", seconds_of(HOME, duration=90), noise=0.06)
    (hit,) = ask(limit=1, fold=True)
    assert len({hit.path, *(other.path for other in hit.duplicates)}) == 3


def test_a_cut_video_is_folded_at_its_own_times(catalog, ask):
    add(catalog, "cut.mp4", seconds_of(HOME, duration=90)[17:58], noise=0.05)
    best = ask(limit=4, fold=True)[0]  # in either of the two
    (other,) = best.duplicates
    assert (best.path.name, other.path.name, other.start - best.start) in (
        ("home.mp4", "cut.mp4", -17.0),
        ("cut.mp4", "home.mp4", 17.0),
    )


def test_the_same_thing_at_another_time_is_no_duplicate(catalog, ask):
    shown = [("train", 1, 9), ("kitchen", 21, 34), ("beach", 36, 80)]
    add(catalog, "other kitchen.mp4", seconds_of(shown, duration=90))
    hits = ask(limit=3, fold=True)
    assert [hit.duplicates for hit in hits] == [(), (), ()]
    assert {hit.path.name for hit in hits} == {"home.mp4", "other kitchen.mp4"}
    assert len({(hit.start, hit.end) for hit in hits}) == 2  # of one length, at one time


def test_repetition_in_one_video_is_no_duplicate(catalog, ask):
    shown = [(word, start + again, end + again) for again in (0, 90) for word, start, end in HOME]
    add(catalog, "twice.mp4", seconds_of(shown, duration=180))
    catalog.remove_files([FILMS / "home.mp4"])
    assert [hit.duplicates for hit in ask(limit=4, fold=True)] == [()] * 4


def test_duplicates_take_no_place_of_others(catalog, ask):
    for number in range(30):
        add(catalog, f"copy {number}.mp4", seconds_of(HOME, duration=90), noise=0.02)
    hits = ask(limit=4, fold=True)
    assert len(hits) == 4
    assert len({(hit.start, hit.end) for hit in hits[:2]}) == 2
    assert [len(hit.duplicates) for hit in hits[:2]] == [30, 30]


def test_nothing_is_folded_where_nothing_tells(ask):
    assert ask(limit=2, fold=True, parts=PLAIN) == ask(limit=2, parts=PLAIN)
