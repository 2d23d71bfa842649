"""Centred scores: what a gap and hubs do to cosines, they do not do to these."""

import numpy as np
import pytest

from search.background.centring import TextCentre, centred_clips, mean_of_library, unit

DIM, THINGS, SENTENCES = 64, 40, 200


def drawn(count, *, seed):
    return unit(np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32))


TOPICS = drawn(THINGS, seed=1)
TEXTS_LEAN, CLIPS_LEAN = drawn(2, seed=2)
# A bank of sentences about the same kind of thing, none of which is asked.
BANK = unit(drawn(SENTENCES, seed=3) + 0.3 * TOPICS.mean(axis=0))


def leaning(vectors, lean):
    """Vectors that share most of their length, as those of real models do."""
    return unit(np.float32(0.4**0.5) * vectors + np.float32(0.6**0.5) * lean)


def library(*, seed=4):
    """Clips of all things, noisy; some are hubs: they lie near to all sentences."""
    draw = np.random.default_rng(seed)
    shown = np.arange(400) % THINGS
    noise = draw.normal(size=(400, DIM)).astype(np.float32) * np.float32(0.7 / DIM**0.5)
    hubs = (draw.random(400) < 0.04).astype(np.float32)[:, None]
    clips = leaning(unit(TOPICS[shown] + noise + 4.0 * hubs * TEXTS_LEAN), CLIPS_LEAN)
    return clips, shown


def found_first(scores, shown):
    """The share of things whose first clip shows them."""
    return float(np.mean(shown[scores.argmax(axis=1)] == np.arange(THINGS)))


def test_hubs_that_come_first_for_most_questions_do_not_when_scores_are_centred():
    clips, shown = library()
    questions = leaning(TOPICS, TEXTS_LEAN)
    centre = TextCentre.of(leaning(BANK, TEXTS_LEAN))
    mean = mean_of_library(clips)
    asked = np.stack([centre.centred(question) for question in questions])
    assert centre.most == 1.0
    assert found_first(questions @ clips.T, shown) < 0.5
    assert found_first(asked @ centred_clips(clips, mean).T, shown) > 0.95


def test_without_a_gap_nothing_is_lost_whatever_the_bank():
    draw = np.random.default_rng(5)
    noise = draw.normal(size=(400, DIM)).astype(np.float32) * np.float32(0.7 / DIM**0.5)
    shown = np.arange(400) % THINGS
    clips = unit(TOPICS[shown] + noise)
    foreign = unit(0.2 * drawn(SENTENCES, seed=6) + TOPICS[7])  # all about one thing
    mean = mean_of_library(clips)
    plain = found_first(TOPICS @ clips.T, shown)
    for bank in (BANK, foreign):
        asked = np.stack([TextCentre.of(bank).centred(topic) for topic in TOPICS])
        others = np.arange(THINGS) != 7
        first = shown[(asked @ centred_clips(clips, mean).T).argmax(axis=1)]
        assert np.mean(first[others] == np.arange(THINGS)[others]) >= plain - 0.03


def test_of_a_bank_whose_halves_disagree_half_of_the_mean_is_left():
    assert TextCentre.of(drawn(20, seed=8)).most == 0.5


def test_a_question_that_holds_nothing_of_the_mean_stays_as_it_is():
    centre = TextCentre(mean=np.eye(DIM, dtype=np.float32)[0] * 0.8, most=1.0)
    away = np.eye(DIM, dtype=np.float32)[1]
    assert centre.centred(away) == pytest.approx(away)
    assert centre.centred(-centre.mean / 0.8) == pytest.approx(-centre.mean / 0.8)


def test_a_thing_that_fills_most_of_a_library_is_not_its_mean():
    alike = unit(TOPICS[0] + 0.05 * drawn(400, seed=9))
    mixed = np.concatenate([alike, TOPICS])[np.random.default_rng(0).permutation(440)]
    assert float(mean_of_library(mixed) @ TOPICS[0]) < 0.3
    assert float(mixed.mean(axis=0) @ TOPICS[0]) > 0.8


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_library_of_few_clips_still_tells_them_apart(count):
    clips = TOPICS[:count]
    centred = centred_clips(clips, mean_of_library(clips))
    assert np.all(np.diag(centred @ clips.T) > 0.8)
