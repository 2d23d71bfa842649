"""Several sentences in one question: sums of directions, weights, and what is not wanted."""

import numpy as np
import pytest

from search import LESS, EmptyQueryError
from search.asking.question import Question

DOG, BEACH, CAT = np.eye(4, dtype=np.float32)[:3]


def unit(vector):
    return vector / np.linalg.norm(vector)


def scores(question, *clips):
    return question.scores(np.stack([unit(clip) for clip in clips])).tolist()


def test_one_sentence_asks_as_it_is():
    question = Question.plain(DOG[None], [1.0])
    assert question.direction.tolist() == question.vector.tolist() == DOG.tolist()


def test_a_clip_that_fits_both_sentences_is_before_one_that_fits_one_better():
    question = Question.plain(np.stack([DOG, BEACH]), [1.0, 1.0])
    both, one, neither = scores(question, DOG + BEACH, DOG, CAT)
    assert both > one > neither == 0.0


def test_a_weight_turns_the_question_towards_its_sentence():
    evenly = Question.plain(np.stack([DOG, BEACH]), [1.0, 1.0])
    weighted = Question.plain(np.stack([DOG, BEACH]), [3.0, 1.0])
    dog, beach = 2 * DOG + BEACH, DOG + 2 * BEACH
    assert scores(evenly, dog)[0] == pytest.approx(scores(evenly, beach)[0])
    assert scores(weighted, dog)[0] > scores(weighted, beach)[0]


def test_what_is_not_wanted_counts_against_a_clip():
    question = Question.plain(np.stack([DOG, CAT]), [1.0, -LESS])
    alone, with_cat, only_cat = scores(question, DOG, DOG + CAT, CAT)
    assert alone > with_cat > 0.0 > only_cat


def test_the_cosine_that_is_told_is_the_mean_over_what_is_wanted():
    question = Question.plain(np.stack([DOG, BEACH, CAT]), [3.0, 1.0, -1.0])
    assert (DOG @ question.vector, BEACH @ question.vector) == pytest.approx((0.75, 0.25))
    assert CAT @ question.vector == pytest.approx(-0.25)


def test_a_question_that_takes_back_what_it_wants_is_refused():
    with pytest.raises(EmptyQueryError, match="cancel each other"):
        Question.plain(np.stack([DOG, DOG]), [0.5, -0.5])
