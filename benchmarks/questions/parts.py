"""Several sentences and what is not wanted, on pools of single clips: formulas side by side.

A combination is asked for by its colour, its shape and its motion, a sentence each; or by colour
and shape without one motion. The parts are general sentences, each true of many clips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.answers.asked import Models, searchers
from benchmarks.answers.distorted_model import DistortedTexts
from benchmarks.answers.distortions import ALL, NONE, Distortion, Floats
from benchmarks.answers.pools import Pool, make_pool, stored
from benchmarks.answers.ranking import average_precision
from benchmarks.answers.tables import mean_and_spread, table
from benchmarks.inputs.models import CACHE
from catalog import Background, Catalog
from search import LESS, Asked, Sentence, Step
from search.asking.question import Question
from toyworld.world import COMBINATIONS, QUESTIONS, Combination

POOLS = (721, 722)
CLIPS = 4600
_ASKED, _LACKING, _DEPTH = 40, 60, 100
_SMALL = 1000  # clips of the library that lacks some combinations

Wanted = Callable[[Combination], bool]
Formula = Callable[[Floats, Sequence[float]], Floats]
"""Scores (N,) of clips from the scores (K, N) of K sentences and their weights."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question of several sentences, and the combinations that are an answer to it."""

    step: Step
    is_answer: Wanted
    of: Combination


def three_parts(one: Combination) -> Case:
    """Colour, shape and motion."""
    return Case(Step(tuple(map(Sentence, _parts(one)))), one.__eq__, one)


def one_without(one: Combination) -> Case:
    """Colour and shape, but not the motion."""
    colour, shape, motion = _parts(one)
    step = Step((Sentence(colour), Sentence(shape), Sentence(motion, -LESS)))
    return Case(step, lambda it: _alike(it, one) and it.motion != one.motion, one)


KINDS: Mapping[str, Callable[[Combination], Case]] = {
    "three sentences": three_parts,
    "two without a third": one_without,
}


def _parts(one: Combination) -> tuple[str, str, str]:
    return tuple(QUESTIONS[part][getattr(one, part)] for part in ("colour", "shape", "motion"))  # type: ignore[return-value]


def _alike(one: Combination, other: Combination) -> bool:
    return (one.colour, one.shape) == (other.colour, other.shape)


def _worst(scores: Floats, weights: Sequence[float]) -> Floats:
    signed = scores * np.sign(np.array(weights, np.float32))[:, None]
    worst: Floats = signed.min(axis=0)
    return worst


def _reciprocal_ranks(scores: Floats, weights: Sequence[float]) -> Floats:
    ranks = (-scores).argsort(axis=1).argsort(axis=1) + 1.0
    sums: Floats = (np.array(weights)[:, None] / (60 + ranks)).sum(axis=0)
    return sums


def _wanted_alone(scores: Floats, weights: Sequence[float]) -> Floats:
    total: Floats = scores[np.array(weights) > 0].sum(axis=0)
    return total


def _weighted(scores: Floats, weights: Sequence[float]) -> Floats:
    return np.array(weights, np.float32) @ scores


FORMULAS: Mapping[str, tuple[bool, Formula]] = {
    "sum of cosines (mean of raw vectors)": (False, _weighted),
    "least centred score": (True, _worst),
    "reciprocal ranks": (True, _reciprocal_ranks),
    "what is wanted alone": (True, _wanted_alone),
}
"""Formulas, and whether their scores are centred."""


def measure(
    models: Models,
    *,
    pools: Sequence[int] = POOLS,
    clips: int = CLIPS,
    questions: int = _ASKED,
    folder: Path = CACHE,
) -> list[str]:
    """The tables, as Markdown: mean average precision, and confidence."""
    made = [make_pool(seed, clips=clips, embedder=models.clips, folder=folder) for seed in pools]
    rows = []
    for distortion in (NONE, ALL):
        for kind, case in KINDS.items():
            found = [
                _precisions(pool, case, questions=questions, distortion=distortion, models=models)
                for pool in made
            ]
            rows += [
                [kind, distortion.name, name, mean_and_spread([one[name] for one in found])]
                for name in found[0]
            ]
    sure = [
        row
        for distortion in (NONE, ALL)
        for row in _confidence_rows(made, questions=questions, distortion=distortion, models=models)
    ]
    return [
        table(
            f"Several sentences: mAP over {clips:,} single clips",
            ["question", "vectors", "formula", "mAP"],
            rows,
        ),
        table(
            f"Confidence of three sentences in {min(_SMALL, clips):,} clips",
            ["question", "vectors", "strong", "likely", "weak", "none"],
            sure,
        ),
    ]


def _precisions(
    pool: Pool,
    case: Callable[[Combination], Case],
    *,
    questions: int,
    distortion: Distortion,
    models: Models,
) -> dict[str, float]:
    """The mean average precision of each formula; the product's own is `Searcher.answer`."""
    rng = np.random.default_rng([pool.seed, 3])
    there = rng.permutation(np.unique(pool.shown))[:questions]
    asked = [case(COMBINATIONS[number]) for number in there]
    found: dict[str, list[float]] = {}
    texts = DistortedTexts(models.texts, distortion)
    # In another order: of neighbours that are alike a search makes one moment.
    mixed = pool.only(rng.permutation(len(pool.shown))).distorted(distortion)
    with stored(mixed, embedder=models.clips) as (catalog, shown):
        (searcher,) = searchers(
            catalog, distortion=distortion, settings=["default"], models=models
        ).values()
        every = _AllClips.of(catalog, sorted(shown))
        for one in asked:
            answers = {
                clip for clip, number in shown.items() if one.is_answer(COMBINATIONS[number])
            }
            hits = searcher.answer(Asked(steps=(one.step,), limit=_DEPTH)).hits
            rankings = {"sum of centred scores (ours)": [hit.clip_id for hit in hits]}
            rankings |= every.rankings(one.step, texts.embed_texts(one.step.texts))
            for name, clips in rankings.items() if answers else ():
                right = [clip in answers for clip in clips]
                precision = average_precision(right, true=len(answers))
                found.setdefault(name, []).append(precision)
    return {name: float(np.mean(values)) for name, values in found.items()}


@dataclass(frozen=True, slots=True, eq=False)
class _AllClips:
    """The vectors (N, D) of all clips of a catalog by their ids (N,), and its background."""

    ids: NDArray[np.int64]
    vectors: Floats
    background: Background

    @classmethod
    def of(cls, catalog: Catalog, ids: Sequence[int]) -> Self:
        with catalog.library() as library:
            background = None if library is None else library.background()
            if library is None or background is None:
                raise SystemExit("the catalog has no background")
            numbers = np.array(ids, np.int64)
            return cls(numbers, library.of(numbers), background)

    def rankings(self, step: Step, texts: Floats) -> dict[str, list[int]]:
        """The best clips by each formula, for sentences with vectors (K, D)."""
        weights = [sentence.weight for sentence in step.sentences]
        centred = [Question.centred(text[None], [1.0], self.background) for text in texts]
        scores = {
            True: np.stack([question.scores(self.vectors) for question in centred]),
            False: texts @ self.vectors.T,
        }
        return {
            name: self.ids[np.argsort(-formula(scores[centre], weights), kind="stable")][
                :_DEPTH
            ].tolist()
            for name, (centre, formula) in FORMULAS.items()
        }


def _confidence_rows(
    pools: Sequence[Pool], *, questions: int, distortion: Distortion, models: Models
) -> Iterator[list[str]]:
    """Levels of the first hit: where it is right, and of combinations that the library lacks."""
    levels: dict[str, list[str]] = {"true, first hit right": [], "of what is not there": []}
    for pool in pools:
        rng = np.random.default_rng([pool.seed, 4])
        kinds = rng.permutation(len(COMBINATIONS))
        lacking, present = kinds[:_LACKING], kinds[_LACKING:]
        usual: NDArray[np.int64] = np.flatnonzero(np.isin(pool.shown, present))
        library = pool.only(rng.permutation(usual)[:_SMALL]).distorted(distortion)
        with stored(library, embedder=models.clips) as (catalog, shown):
            (searcher,) = searchers(
                catalog, distortion=distortion, settings=["default"], models=models
            ).values()
            there = rng.permutation(np.unique(library.shown))[:questions]
            for number in (*there.tolist(), *lacking[:questions].tolist()):
                case = three_parts(COMBINATIONS[number])
                first = searcher.answer(Asked(steps=(case.step,), limit=1)).hits[0]
                if number in lacking:
                    levels["of what is not there"].append(str(first.confidence))
                elif shown[first.clip_id] == number:
                    levels["true, first hit right"].append(str(first.confidence))
    for name, told in levels.items():
        shares = [told.count(level) / max(len(told), 1) for level in _LEVELS]
        yield [f"{name} ({len(told)})", distortion.name, *(f"{share:.2f}" for share in shares)]


_LEVELS = ("strong", "likely", "weak", "none")
