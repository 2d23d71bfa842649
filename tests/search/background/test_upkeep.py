"""The background of a real catalog: whatever its history, as if it had been computed anew."""

from pathlib import Path

import numpy as np
import pytest

from catalog import Background, Catalog, ClipSpan, FileLocation, Provenance, VideoRecord
from search.background.bank import Bank, everyday_sentences
from search.background.centring import centred_clips, unit
from search.background.current import CurrentBackground, keep_background
from search.background.voids import VOIDS, ByChance, Standing, pair_voids

DIM, CLIPS = 32, 20
SENTENCES = tuple(f"sentence {number}" for number in range(50))


def drawn(count, *, seed):
    return unit(np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32))


class Counted:
    """A bank of random vectors, and how often they were asked for."""

    def __init__(self, *sentences):
        self.times = 0
        self.bank = Bank.of(sentences or SENTENCES, model_digest="ab" * 32, embed=self._embed)

    def _embed(self, sentences):
        self.times += 1
        return drawn(len(sentences), seed=len(sentences))


@pytest.fixture
def catalog(tmp_path):
    with Catalog.open(tmp_path / "catalog", create=True) as catalog:
        catalog.bind(Provenance("demo", None, "ab" * 32, DIM, 8, 8.0, 4.0))
        yield catalog


def add(catalog, number, *, clips=CLIPS):
    catalog.add_video(
        VideoRecord(f"video {number}", 4.0 * clips + 4.0, 64, 48, 25.0, "h264", "mp4"),
        location=FileLocation(Path("/films"), place(number), 1, 1),
        clips=[ClipSpan(4.0 * n, 4.0 * n + 8.0) for n in range(clips)],
        vectors=drawn(clips, seed=1000 + number),
    )


def place(number):
    return Path(f"/films/{number}.mp4")


def kept(catalog) -> Background:
    with catalog.library() as library:
        return library.background()


def by_hand(catalog, background):
    """The maxima of the voids over all clips, and the ids of the best."""
    with catalog.library() as library:
        parts = list(library.above(0))
    ids = np.concatenate([ids for ids, _ in parts])
    clips = centred_clips(np.concatenate([some for _, some in parts]), background.mean_clip)
    voids = pair_voids(drawn(len(SENTENCES), seed=len(SENTENCES)), background.mean_text)
    scores = clips @ voids.T
    return scores.max(axis=0), ids[scores.argmax(axis=0)]


def test_videos_have_the_same_background_in_whatever_order_they_came(tmp_path):
    found = []
    for order in (range(40), reversed(range(40))):
        with Catalog.open(tmp_path / f"{len(found)}", create=True) as catalog:
            catalog.bind(Provenance("demo", None, "ab" * 32, DIM, 8, 8.0, 4.0))
            for number in order:
                add(catalog, number)
            keep_background(catalog, Counted().bank)
            found.append(kept(catalog))
    one, other = found
    assert np.array_equal(one.mean_clip, other.mean_clip)
    assert np.array_equal(one.maxima, other.maxima)


def check(catalog):
    background = kept(catalog)
    maxima, best = by_hand(catalog, background)
    assert background.maxima == pytest.approx(maxima, abs=1e-6)
    assert background.best_clips.tolist() == best.tolist()
    assert (background.clips, background.generation) == (
        catalog.status().clips,
        catalog.version[1],
    )
    return background


def test_new_clips_are_taken_in_without_reading_the_old_ones(catalog, monkeypatch):
    counted = Counted()
    for number in range(10):
        add(catalog, number)
    keep_background(catalog, counted.bank)
    first = check(catalog)
    read = []
    with catalog.library() as library:
        vectors = type(library)
    usual = vectors.above
    monkeypatch.setattr(
        vectors, "above", lambda self, newest: read.append(newest) or usual(self, newest)
    )
    add(catalog, 10)
    keep_background(catalog, counted.bank)
    assert read == [first.newest]
    after = check(catalog)
    assert np.all(after.maxima >= first.maxima)
    assert np.any(after.maxima > first.maxima)
    assert after.mean_clip.tolist() == first.mean_clip.tolist()


def test_after_a_removal_only_voids_whose_best_clip_is_gone_change(catalog):
    for number in range(10):
        add(catalog, number)
    keep_background(catalog, Counted().bank)
    first = kept(catalog)
    catalog.remove_files([place(3)])
    keep_background(catalog, Counted().bank)
    after = check(catalog)
    gone = (first.best_clips > 3 * CLIPS) & (first.best_clips <= 4 * CLIPS)
    assert gone.any()
    assert np.array_equal(after.maxima[~gone], first.maxima[~gone])
    assert np.all(after.maxima[gone] < first.maxima[gone])


def test_removed_and_added_in_the_same_number_is_noticed(catalog):
    for number in range(10):
        add(catalog, number)
    keep_background(catalog, Counted().bank)
    catalog.remove_files([place(3)])
    add(catalog, 11)
    keep_background(catalog, Counted().bank)
    assert check(catalog).changed == 2 * CLIPS


def test_the_mean_of_a_library_that_has_grown_by_half_is_taken_anew(catalog):
    for number in range(10):
        add(catalog, number)
    keep_background(catalog, Counted().bank)
    first = kept(catalog)
    for number in range(10, 15):
        assert kept(catalog).drawn_from == 10 * CLIPS
        add(catalog, number)
        keep_background(catalog, Counted().bank)
    after = check(catalog)
    assert (after.drawn_from, after.changed) == (15 * CLIPS, 0)
    assert after.mean_clip.tolist() != first.mean_clip.tolist()


def test_nothing_is_embedded_or_written_for_a_catalog_that_has_not_changed(catalog):
    add(catalog, 0)
    counted = Counted()
    keep_background(catalog, counted.bank)
    keep_background(catalog, counted.bank)
    assert counted.times == 1
    catalog.relocate(Path("/films"), new=Path("/elsewhere"))
    keep_background(catalog, counted.bank)
    assert counted.times == 1
    check(catalog)


def test_a_bank_of_other_sentences_makes_another_background(catalog):
    add(catalog, 0)
    keep_background(catalog, Counted("a", "b", "c").bank)
    other = kept(catalog)
    keep_background(catalog, Counted().bank)
    assert check(catalog).bank != other.bank


def test_a_catalog_without_clips_has_no_background(catalog, tmp_path):
    keep_background(catalog, Counted().bank)
    assert kept(catalog) is None
    assert CurrentBackground(catalog).read(Counted().bank) is None
    with Catalog.open(tmp_path / "new", create=True) as unbound:
        keep_background(unbound, Counted().bank)
        assert CurrentBackground(unbound).read(Counted().bank) is None


def test_a_question_needs_no_bank_where_the_background_was_kept(catalog):
    add(catalog, 0)
    keep_background(catalog, Counted().bank)
    counted = Counted()
    found = CurrentBackground(catalog).read(counted.bank)
    assert found.maxima.tolist() == kept(catalog).maxima.tolist()
    assert counted.times == 0


def test_a_question_computes_what_was_not_kept_and_writes_nothing(catalog):
    add(catalog, 0)
    current, counted = CurrentBackground(catalog), Counted()
    first = current.read(counted.bank)
    assert current.read(counted.bank) is first
    add(catalog, 1)
    second = current.read(counted.bank)
    assert kept(catalog) is None
    keep_background(catalog, counted.bank)
    assert second.maxima == pytest.approx(kept(catalog).maxima, abs=1e-6)


@pytest.mark.parametrize(
    "change",
    ["maxima = substr(maxima, 1, 7)", "mean_clip = randomblob(length(mean_clip))", "most = 0.25"],
)
def test_a_background_that_is_not_as_it_was_written_is_made_anew(catalog, tmp_path, change):
    import sqlite3

    add(catalog, 0)
    keep_background(catalog, Counted().bank)
    with sqlite3.connect(tmp_path / "catalog" / "catalog.sqlite") as connection:
        connection.execute(f"UPDATE background SET {change}")
    connection.close()
    assert kept(catalog) is None
    keep_background(catalog, Counted().bank)
    check(catalog)


def test_a_true_sentence_stands_above_the_voids_and_another_among_them(catalog):
    for number in range(10):
        add(catalog, number)
    keep_background(catalog, Counted().bank)
    background = kept(catalog)
    chance = ByChance.of(background.maxima)
    with catalog.library() as library:
        ((_, clips),) = library.above(0)
    centred = centred_clips(clips, background.mean_clip)
    shown = unit(clips[5] + 0.5 * drawn(1, seed=77)[0])
    assert Standing(float((centred @ shown).max()), chance).value > 1.15
    absent = [Standing(float((centred @ text).max()), chance).value for text in drawn(100, seed=78)]
    assert np.median(absent) < 0.5
    assert np.mean(np.array(absent) > 1.15) < 0.05


def test_scores_by_chance_are_a_median_and_a_quantile():
    maxima = np.random.default_rng(3).normal(size=VOIDS).astype(np.float32)
    chance = ByChance.of(maxima)
    assert chance.median == pytest.approx(np.median(maxima), abs=1e-6)
    assert chance.top == pytest.approx(np.percentile(maxima, 95), abs=1e-6)
    assert Standing(chance.median, chance).value == 0.0
    assert Standing(chance.top, chance).value == pytest.approx(1.0)


def test_voids_are_pairs_of_two_sentences():
    bank = np.eye(VOIDS, dtype=np.float32)
    voids = pair_voids(bank, np.zeros(VOIDS, np.float32))
    assert voids.shape == (VOIDS, VOIDS)
    assert np.all((voids > 0.7).sum(axis=1) == 2)


def test_everyday_sentences_are_many_and_all_different():
    sentences = everyday_sentences()
    assert len(sentences) >= 400
    assert len(set(sentences)) == len(sentences)
    assert all(sentence == sentence.strip() and sentence for sentence in sentences)
