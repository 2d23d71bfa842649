"""Moments of a real catalog with frame vectors, for a model whose words are one-hot vectors."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from catalog import (
    Catalog,
    ClipSpan,
    FileLocation,
    FrameVectors,
    Provenance,
    QuantisedVectors,
    VideoFilter,
    VideoRecord,
)
from search import Asked, Bank, Searcher, SearchSettings
from tests.search.test_searcher import IDENTITY, WORDS, mixed, words

FILMS = Path("/films")


def bank(made_by, embed):
    return Bank.of(WORDS, model_digest=made_by.model_digest, embed=embed)


def add_film(catalog, name, shown, *, duration, frames=True):
    """A film in which words are shown from a second to another, and else "nothing"."""
    seconds = np.tile(mixed("nothing"), (duration, 1))
    for word, start, end in shown:
        seconds[start:end] = mixed(word)
    starts = range(0, duration - 7, 4)
    vectors = np.stack([seconds[start : start + 8].mean(axis=0) for start in starts])
    times = np.arange(duration) + 0.5
    catalog.add_video(
        VideoRecord(name, float(duration), 64, 48, 25.0, "h264", "mp4"),
        location=FileLocation(FILMS, FILMS / name, 1, 1),
        clips=[ClipSpan(float(start), start + 8.0) for start in starts],
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        frames=FrameVectors(times, QuantisedVectors.of(seconds)) if frames else None,
    )


@pytest.fixture
def catalog(tmp_path):
    with Catalog.open(tmp_path / "catalog", create=True) as catalog:
        catalog.bind(Provenance("words", None, IDENTITY.model_digest, len(WORDS), 8, 8.0, 4.0))
        add_film(catalog, "background.mp4", [("snow", 3, 40), ("train", 60, 90)], duration=200)
        yield catalog


@pytest.fixture
def ask(catalog):
    def ask(sentence, *, limit=1, name=None, **parts):
        searcher = Searcher(
            catalog=catalog, load_embedder=words, bank=bank, settings=SearchSettings(**parts)
        )
        hits = searcher.search(
            sentence, limit=limit, videos=VideoFilter(inside=(name,) if name else ())
        ).hits
        return [(hit.path.name, hit.start, hit.end) for hit in hits]

    return ask


@pytest.fixture(params=[{}, {"centring": False}], ids=["centred", "plain"])
def parts(request):
    """The parts of a search that are on: moments do not depend on centring."""
    return request.param


def test_a_moment_starts_and_ends_with_what_is_asked_for(catalog, ask, parts):
    add_film(catalog, "home.mp4", [("kitchen", 21, 34), ("beach", 50, 53)], duration=80)
    assert ask("kitchen", **parts) == [("home.mp4", 21.0, 34.0)]
    assert ask("beach", **parts) == [("home.mp4", 50.0, 53.0)]


def test_the_peak_lies_in_the_moment_and_the_score_is_the_clips_cosine(catalog):
    add_film(catalog, "home.mp4", [("kitchen", 21, 34)], duration=80)
    searcher = Searcher(catalog=catalog, load_embedder=words, bank=bank)
    hit = searcher.search("kitchen", limit=1).hits[0]
    assert hit.start < hit.peak < hit.end
    assert 0.98 < hit.score <= 1.0


def test_several_moments_of_one_video_are_several_hits(catalog, ask, parts):
    shown = [("kitchen", 10, 20), ("kitchen", 44, 60), ("kitchen", 90, 94)]
    add_film(catalog, "home.mp4", shown, duration=120)
    found = ask("kitchen", limit=3, **parts)
    assert sorted(found) == [("home.mp4", float(start), float(end)) for _, start, end in shown]


@pytest.mark.parametrize(
    ("start", "end", "duration"), [(0, 900, 900), (200, 1400, 2000), (299, 301, 2000)]
)
def test_a_moment_of_a_long_video_may_have_any_length(catalog, ask, start, end, duration):
    add_film(catalog, "long.mp4", [("kitchen", start, end)], duration=duration)
    found = ask("kitchen", limit=2)
    assert found[0] == ("long.mp4", float(start), float(end))
    assert len(found) == 2  # and something of which nothing is true


def test_a_catalog_without_frame_vectors_answers_by_the_line_through_its_clips(catalog, ask, parts):
    add_film(catalog, "home.mp4", [("kitchen", 20, 32)], duration=80, frames=False)
    ((name, start, end),) = ask("kitchen", **parts)
    assert name == "home.mp4"
    assert (start, end) == (pytest.approx(20, abs=2.0), pytest.approx(32, abs=2.0))


def test_the_curves_of_the_videos_are_given_on_request(catalog):
    add_film(catalog, "home.mp4", [("kitchen", 21, 34), ("kitchen", 60, 66)], duration=80)
    add_film(catalog, "old.mp4", [("kitchen", 8, 16)], duration=40, frames=False)
    searcher = Searcher(catalog=catalog, load_embedder=words, bank=bank)
    assert searcher.search("kitchen", limit=3).curves == ()
    result = searcher.answer(Asked.of("kitchen", limit=3), with_curves=True)
    curves = {curve.path.name: curve for curve in result.curves}
    assert set(curves) == {"home.mp4", "old.mp4"}
    home, old = curves["home.mp4"], curves["old.mp4"]
    assert home.of_frames
    assert home.times == tuple(np.arange(80) + 0.5)
    high = {time for time, height in zip(home.times, home.heights, strict=True) if height > 0.3}
    assert high == {*np.arange(21.5, 34), *np.arange(60.5, 66)}
    assert not old.of_frames
    assert old.times == tuple(np.arange(4.0, 40, 4.0))
    assert old.times[int(np.argmax(old.heights))] == 12.0
    plain = Searcher(
        catalog=catalog, load_embedder=words, bank=bank, settings=SearchSettings(moments=False)
    )
    assert plain.answer(Asked.of("kitchen"), with_curves=True).curves == ()


def test_without_the_part_moments_clips_are_merged(catalog, ask):
    add_film(catalog, "home.mp4", [("kitchen", 21, 34)], duration=80)
    assert ask("kitchen", moments=False) == [("home.mp4", 20.0, 36.0)]


def test_without_a_bank_clips_are_merged(catalog):
    add_film(catalog, "home.mp4", [("kitchen", 21, 34)], duration=80)
    (hit,) = Searcher(catalog=catalog, load_embedder=words).search("kitchen", limit=1).hits
    assert (hit.start, hit.end) == (20.0, 36.0)


def test_frames_that_cannot_be_read_name_the_command_that_helps(catalog, ask):
    from catalog import CatalogDamagedError

    add_film(catalog, "home.mp4", [("kitchen", 21, 34)], duration=80)
    with closing(sqlite3.connect(catalog.folder / "catalog.sqlite")) as connection:
        connection.execute("UPDATE frames SET vectors = x'00'")
        connection.commit()
    with pytest.raises(CatalogDamagedError, match="verify --repair"):
        ask("kitchen")
