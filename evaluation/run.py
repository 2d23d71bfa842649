"""An evaluation: every question asked under every setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from catalog import EVERY_VIDEO, VideoFilter
from evaluation.outcome import DEPTH, Outcome, judge
from evaluation.questions import Question
from search import SearchResult


class Asked(Protocol):
    """What is evaluated: a search, such as `search.Searcher`."""

    def search(self, text: str, *, limit: int, videos: VideoFilter = EVERY_VIDEO) -> SearchResult:
        """The best moments for a sentence."""


def ask_all(
    questions: Sequence[Question],
    searchers: Mapping[str, Asked],
    *,
    video_ids: Mapping[Path, int],
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, tuple[Outcome, ...]]:
    """The outcomes of these questions by the name of the searcher, in the order of the questions.

    Args:
        questions: the questions.
        searchers: by name; each question is asked of all, one after the other.
        video_ids: the ids of the videos by the paths of their files.
        on_progress: called with the number of questions that are done, and of all.
    """
    outcomes: dict[str, list[Outcome]] = {name: [] for name in searchers}
    for done, question in enumerate(questions):
        if on_progress:
            on_progress(done, len(questions))
        videos = EVERY_VIDEO
        if question.within is not None:
            videos = VideoFilter(inside=(str(question.within),))
        for name, searcher in searchers.items():
            result = searcher.search(question.sentence, limit=DEPTH, videos=videos)
            outcomes[name].append(judge(question, result, video_ids=video_ids))
    return {name: tuple(its) for name, its in outcomes.items()}


def worst_first(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes from the worst to the best: wrong first hits by rank, then inexact moments.

    A confident answer to a sentence that is true of nothing is as bad as a right hit not found.
    """

    def goodness(one: Outcome) -> tuple[float, float, int]:
        if one.rank is not None:
            return -one.rank, one.iou or 0.0, one.question.line
        wrong = one.confidence in ("strong", "likely")
        return -float("inf") if wrong else -1.0, 1.0, one.question.line

    return sorted(outcomes, key=goodness)
