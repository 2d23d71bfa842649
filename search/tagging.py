"""Tags: of many names at once, the moments that each is true of, from the vectors of all clips.

A name stands for a question of one or several sentences. The moments under it are those of the
question's answer, as far as they are sure enough.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalog import EVERY_VIDEO, ClipMatch, LibraryVectors, VideoFilter
from search.asking.question import Question, Vectors
from search.background.centring import centred_clips
from search.confidence import LEAST_STANDING, Confidence
from search.hits import hit_of
from search.moments.of_clips import Curves, moments_on
from search.moments.ranking import Moment, ranked
from search.moments.tagged import tagged_stretches
from search.records import Hit

_ROWS_AT_A_TIME = 4096  # of a product with all names: 7 MB for 400 of them
_ROUNDING = 1e-4  # a product of matrices is this near to that of each row

OnProgress = Callable[[int, int], None]
"""Called with the number of clips that were compared, and the number of all."""


@dataclass(frozen=True, slots=True)
class TaggedMoment:
    """A moment under a name.

    The score of the hit is the centred score of its best clip, which its confidence follows; its
    rank is that under the name.
    """

    name: str
    video_id: int
    hit: Hit


def tagged_moments(
    asked: Mapping[str, Question],
    library: LibraryVectors,
    clip_ids: NDArray[np.int64],
    *,
    least: Confidence,
    videos: VideoFilter = EVERY_VIDEO,
    on_progress: OnProgress = lambda _done, _clips: None,
) -> Iterator[TaggedMoment]:
    """The moments under each name with at least this confidence: by name, then best first.

    The clips are read once, and compared with all names in parts; memory grows with what is found.

    Args:
        asked: for each name its question, all centred on the same background.
        library: the vectors of clips and frames.
        clip_ids: (N,) those of the clips that are compared.
        least: the lowest confidence.
        videos: the filter that they meet.
        on_progress: told how far it is.
    """
    questions = list(asked.values())
    found = _sure_clips(
        questions, library, clip_ids, least=LEAST_STANDING[least], on_progress=on_progress
    )
    matches = library.matches(np.unique(np.concatenate([ids for ids, _ in found])), videos=videos)
    by_id = {match.clip_id: match for match in matches}
    for (name, question), (ids, scores) in zip(asked.items(), found, strict=True):
        clips = [
            replace(by_id[clip_id], score=score)
            for clip_id, score in zip(ids.tolist(), scores.tolist(), strict=True)
        ]
        for rank, moment in enumerate(_moments(question, clips, library, videos), start=1):
            best = moment.best
            hit = hit_of(moment, rank=rank, score=best.score, chance=question.chance)
            yield TaggedMoment(name, best.video_id, hit)


def _sure_clips(
    questions: Sequence[Question],
    library: LibraryVectors,
    clip_ids: NDArray[np.int64],
    *,
    least: float,
    on_progress: OnProgress,
) -> list[tuple[NDArray[np.int64], Vectors]]:
    """For each question ids (N,) and centred scores (N,) of clips that stand at least so high."""
    directions = np.stack([one.direction for one in questions])
    chance, mean = questions[0].chance, questions[0].mean_clip
    if chance is None or mean is None:
        raise ValueError("names need centred questions")
    lowest = chance.score_at(least)
    none = np.empty(0, np.int64), np.empty(0, np.float32)
    found: list[list[tuple[NDArray[np.int64], Vectors]]] = [[none] for _ in questions]
    done = 0
    for begin in range(0, len(clip_ids), _ROWS_AT_A_TIME):
        some = clip_ids[begin : begin + _ROWS_AT_A_TIME]
        clips = centred_clips(library.of(some), mean)
        near = clips @ directions.T >= lowest - _ROUNDING
        for column in np.flatnonzero(near.any(axis=0)).tolist():
            rows = np.flatnonzero(near[:, column])
            # Row by row, as for a question: a product of matrices rounds equal rows differently.
            scores = np.einsum("nd,d->n", clips[rows], directions[column])
            sure = scores >= lowest
            found[column].append((some[rows[sure]], scores[sure]))
        done += len(some)
        on_progress(done, len(clip_ids))
    return [
        (np.concatenate([some for some, _ in parts]), np.concatenate([its for _, its in parts]))
        for parts in found
    ]


def _moments(
    question: Question, clips: Sequence[ClipMatch], library: LibraryVectors, videos: VideoFilter
) -> tuple[Moment, ...]:
    if not clips:
        return ()
    curves = Curves(library, question, question.ordinary or 0.0)
    taken = tagged_stretches(library, clips, videos=videos)
    return tuple(moments_on(curves, ranked(clips), taken=taken))
