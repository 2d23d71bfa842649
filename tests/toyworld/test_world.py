from itertools import combinations as pairs

import numpy as np

from toyworld.world import (
    COLOURS,
    COMBINATIONS,
    HELD_OUT,
    MOTION_PAIRS,
    MOTIONS,
    OPPOSITE,
    SHAPES,
    TRAINED,
    every_sentence,
)


def test_the_world_is_large_enough_to_be_a_benchmark() -> None:
    assert len(COMBINATIONS) == len(COLOURS) * len(SHAPES) * len(MOTIONS) >= 400
    assert len(HELD_OUT) >= 100
    assert set(HELD_OUT).isdisjoint(TRAINED)
    assert set(HELD_OUT) | set(TRAINED) == set(COMBINATIONS)


def test_captions_are_distinct() -> None:
    assert len({c.caption for c in COMBINATIONS}) == len(COMBINATIONS)


def test_training_sees_every_two_of_colour_shape_and_motion_together() -> None:
    for first, second in pairs(("colour", "shape", "motion"), 2):
        everywhere = {(getattr(c, first), getattr(c, second)) for c in COMBINATIONS}
        trained = {(getattr(c, first), getattr(c, second)) for c in TRAINED}
        assert trained == everywhere


def test_held_out_combinations_are_spread_over_every_colour_shape_and_motion() -> None:
    for part, values in (("colour", COLOURS), ("shape", SHAPES), ("motion", MOTIONS)):
        counts = [sum(getattr(c, part) == value for c in HELD_OUT) for value in values]
        assert max(counts) - min(counts) <= 2, (part, counts)


def test_the_two_members_of_a_motion_pair_never_leave_training_together() -> None:
    held_out = set(HELD_OUT)
    for c in HELD_OUT:
        opposite = type(c)(c.colour, c.shape, OPPOSITE[c.motion])
        assert opposite not in held_out


def test_opposites_are_mutual() -> None:
    assert {frozenset(pair) for pair in MOTION_PAIRS} == {
        frozenset((motion, OPPOSITE[motion])) for motion in MOTIONS
    }


def test_paraphrases_keep_the_colour_and_the_shape_and_belong_to_one_motion() -> None:
    rng = np.random.default_rng(0)
    meanings: dict[str, str] = {}
    for c in COMBINATIONS:
        for sentence in {c.paraphrase(rng) for _ in range(30)}:
            assert f"{c.colour} {c.shape} " in sentence
            tail = sentence.split(f"{c.colour} {c.shape} ")[1]
            assert meanings.setdefault(tail, c.motion) == c.motion


def test_every_word_of_a_paraphrase_occurs_among_the_sentences() -> None:
    words = {word for sentence in every_sentence() for word in sentence.split()}
    rng = np.random.default_rng(1)
    for c in COMBINATIONS:
        assert set(c.paraphrase(rng).split()) <= words
