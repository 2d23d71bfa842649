"""The second stage: the best clips change places by scores that are conditioned on each of them.

X-CLIP adds a prompt to a sentence for each video, made from what is seen in it. An index cannot
hold that, so the best clips of the first stage are scored again.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from catalog import ClipMatch
from search.asking.question import Question

RESCORED = 50

PromptFor = Callable[[Sequence[str], Sequence[ClipMatch]], Mapping[int, NDArray[np.float32]]]
"""Unit vectors (K, D) of K sentences, prompted by each of these clips, by clip id.

A clip that cannot be decoded now has none.
"""


def exchanged(scores: NDArray[np.float32], full: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores (N,) in the order of the scores `full` (N,); NaN there keeps its score.

    So the best clips change places among themselves, and their scores remain comparable with those
    of all other clips.
    """
    known = np.flatnonzero(~np.isnan(full))
    first_stage = known[np.argsort(-scores[known], kind="stable")]
    second_stage = first_stage[np.argsort(-full[first_stage], kind="stable")]
    changed = scores.copy()
    changed[second_stage] = scores[first_stage]
    return changed


def second_stage(
    sentences: Sequence[str],
    question: Question,
    clips: Sequence[ClipMatch],
    *,
    vectors: NDArray[np.float32],
    scores: NDArray[np.float32],
    prompt_for: PromptFor,
) -> NDArray[np.float32]:
    """Scores (N,) of clips with vectors (N, D), the best `RESCORED` of which are scored again."""
    best = np.argsort(-scores, kind="stable")[:RESCORED].tolist()
    prompted = prompt_for(sentences, [clips[number] for number in best])
    full = np.full(len(clips), np.nan, np.float32)
    for number in best:
        if (prompts := prompted.get(clips[number].clip_id)) is not None:
            asked = question.with_vectors(prompts)
            full[number] = asked.scores(vectors[number : number + 1])[0]
    return exchanged(scores, full)
