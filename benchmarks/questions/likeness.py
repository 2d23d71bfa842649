"""More like a moment: what finds others of the same kind first, and what has to be left out.

A moment of a long video is asked for whose combination is seen alone elsewhere too; a second shape
is beside neither. Right is a moment of the same kind that is not the own one, nor its time in the
re-encoded video.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.answers.asked import Models, indexed
from benchmarks.answers.distorted_model import DistortedTexts
from benchmarks.answers.distortions import ALL, NONE, Distortion
from benchmarks.answers.long_videos import (
    EDITION,
    Event,
    Library,
    LongVideo,
    make_library,
    plan_library,
    stretches,
)
from benchmarks.answers.pools import make_pool
from benchmarks.answers.tables import table
from benchmarks.inputs.models import CACHE
from catalog import Catalog, ClipMatch, LibraryVectors
from search.asking.example import Likeness, stored_likeness
from search.background.centring import TextCentre, centred_clips, mean_of_library
from search.moments.own import OwnMoments
from toyworld.world import COMBINATIONS, QUESTIONS

Vectors = NDArray[np.float32]

METHODS = (
    "cosine, all",
    "centred, all",
    "centred, but overlapping clips",
    "centred, but the own moment",
    "centred, but the own moment and copies",
)
_SAMPLE, _SEED = 512, 11
_SHARED = 0.5  # of a clip or an event, whichever is shorter


@dataclass(frozen=True, slots=True)
class Found:
    """Of one moment: whether the first clip is right, and the average precision of all clips."""

    first: bool
    precision: float


@dataclass(frozen=True, slots=True, eq=False)
class _Clips:
    """All clips of a library: N matches and their vectors (N, D)."""

    matches: Sequence[ClipMatch]
    vectors: Vectors


def more_like(library: Library, catalog: Catalog) -> dict[str, list[Found]]:
    """What each method finds for each moment that can be asked for, by its name."""
    video_ids = {path.name: v.video_id for v in catalog.videos() for path in v.paths}
    asked = [
        (video, event)
        for places in stretches(library).values()
        if sum(not event.aside for _, event in places) > 1
        for video, event in places
        if not event.aside
    ]
    found: dict[str, list[Found]] = {name: [] for name in METHODS}
    with catalog.library() as vectors:
        if vectors is None:
            raise SystemExit("the library holds no clips")
        mean = mean_of_library(vectors.sample(_SAMPLE, seed=_SEED))
        clips = _all_clips(catalog, vectors)
        for video, event in asked:
            time = (event.start + event.end) / 2
            likeness = stored_likeness(vectors, video_ids[video.name], time=time)
            right = _right(library, clips, video, event, video_ids=video_ids)
            by_method = _kept(likeness, clips, vectors, mean=mean, time=time)
            for name, (scores, kept) in by_method.items():
                found[name].append(_judged(scores, right, kept))
    return found


def _all_clips(catalog: Catalog, vectors: LibraryVectors) -> _Clips:
    matches = catalog.nearest_clips(vectors.sample(1, seed=_SEED)[0], limit=vectors.count())
    ids = np.array([match.clip_id for match in matches], np.int64)
    return _Clips(matches, vectors.of(ids))


def _right(
    library: Library,
    clips: _Clips,
    asked: LongVideo,
    event: Event,
    *,
    video_ids: Mapping[str, int],
) -> NDArray[np.bool_]:
    """A mask (N,) of the clips that show another event of the same combination."""
    same = {video_ids[one.name] for one in library.videos if asked.name in (one.name, one.of)}
    right = np.zeros(len(clips.matches), np.bool_)
    for video in library.videos:
        its_id = video_ids[video.name]
        for one in video.events:
            own = its_id in same and one.start == event.start
            if one.combination == event.combination and not own:
                right |= _mask(clips, its_id, one.start, one.end)
    return right


def _mask(clips: _Clips, video_id: int, start: float, end: float) -> NDArray[np.bool_]:
    """A mask (N,) of the clips of a video that share enough with these seconds."""
    return np.array(
        [
            clip.video_id == video_id
            and min(clip.end, end) - max(clip.start, start)
            >= _SHARED * min(clip.end - clip.start, end - start)
            for clip in clips.matches
        ]
    )


def _kept(
    likeness: Likeness, clips: _Clips, vectors: LibraryVectors, *, mean: Vectors, time: float
) -> dict[str, tuple[Vectors, NDArray[np.bool_]]]:
    """Scores (N,) of the clips, and a mask (N,) of those that are kept, by method."""
    plain = clips.vectors @ likeness.vector
    centred = centred_clips(clips.vectors, mean) @ centred_clips(likeness.vector, mean)
    every = np.ones(len(plain), np.bool_)
    own_video = np.array([clip.video_id == likeness.video_id for clip in clips.matches])
    overlapping = np.array([clip.start <= time <= clip.end for clip in clips.matches])
    kept = {
        clip.clip_id
        for clip in OwnMoments([likeness], mean).without(clips.matches, clips.vectors, vectors)
    }
    product = np.array([clip.clip_id in kept for clip in clips.matches])
    return dict(
        zip(
            METHODS,
            (
                (plain, every),
                (centred, every),
                (centred, ~(own_video & overlapping)),
                (centred, product | ~own_video),
                (centred, product),
            ),
            strict=True,
        )
    )


def _judged(scores: Vectors, right: NDArray[np.bool_], kept: NDArray[np.bool_]) -> Found:
    order = np.argsort(-scores, kind="stable")
    hits = right[order[kept[order]]]
    places = np.flatnonzero(hits)
    precision = float(((np.arange(len(places)) + 1) / (places + 1)).mean()) if len(places) else 0.0
    return Found(bool(hits[0]), precision)


LIBRARIES = (701, 702, 732)
POOL, CLIPS, ASKED = 711, 1792, 200
FACTORS = (0.25, 0.5, 0.7, 1.0, 1.4, 2.0, 4.0)


def in_libraries(models: Models) -> str:
    """The table of long libraries: none of them was used to choose anything about examples."""
    rows = []
    real = os.environ.get("VSEARCH_TEST_VIDEOS")
    for distortion in (NONE, ALL):
        found: dict[str, list[Found]] = {name: [] for name in METHODS}
        for seed in LIBRARIES:
            library = plan_library(seed)
            place = CACHE / f"answers {EDITION}" / f"library {seed} of 10"
            make_library(place, library)
            beside = [Path(real)] if real else []
            with indexed([place, *beside], models=models, distortion=distortion) as catalog:
                for name, some in more_like(library, catalog).items():
                    found[name] += some
        for name, every in found.items():
            first = float(np.mean([one.first for one in every]))
            precision = float(np.mean([one.precision for one in every]))
            rows.append([name, distortion.name, f"{first:.2f}", f"{precision:.2f}"])
    asked = len(found[METHODS[0]])
    return table(f"More like {asked} moments", ["method", "vectors", "first right", "mAP"], rows)


def beside_a_sentence(models: Models) -> str:
    """The table of "like this, but blue" over single clips, by the weight of the example.

    Right is what has the attribute that is asked for, and the other two of the example.
    """
    pool = make_pool(POOL, clips=CLIPS, embedder=models.clips)
    rows = []
    for distortion in (NONE, ALL):
        vectors = pool.distorted(distortion).vectors
        by_factor = _by_factor(vectors, pool.shown, models, distortion)
        rows.append([distortion.name, *(f"{value:.3f}" for value in by_factor)])
    return table(
        "Like this, but another attribute: mAP by the weight of the example",
        ["vectors", *(f"{factor:g}" for factor in FACTORS)],
        rows,
    )


def _by_factor(
    vectors: Vectors, shown: NDArray[np.int64], models: Models, distortion: Distortion
) -> list[float]:
    """The mean average precision at each of `FACTORS`."""
    texts = DistortedTexts(models.texts, distortion)
    centre = TextCentre.of(texts.embed_texts([one.caption for one in COMBINATIONS]))
    rng = np.random.default_rng([EDITION, POOL, 4])
    mean = mean_of_library(vectors[rng.permutation(len(vectors))[:_SAMPLE]])
    clips = centred_clips(vectors, mean)
    scores = {
        (part, value): clips @ centre.centred(texts.embed_texts([sentence])[0])
        for part, sentences in QUESTIONS.items()
        for value, sentence in sentences.items()
    }
    precisions: list[list[float]] = [[] for _ in FACTORS]
    for number in rng.integers(len(clips), size=ASKED).tolist():
        own = COMBINATIONS[shown[number]]
        others = [key for key in scores if getattr(own, key[0]) != key[1]]
        part, value = others[int(rng.integers(len(others)))]
        wanted = replace(own, **{part: value})
        right = shown == (COMBINATIONS.index(wanted) if wanted in COMBINATIONS else -1)
        if not right.any():
            continue
        kept = np.arange(len(clips)) != number
        like, said = clips @ clips[number], scores[part, value]
        like = like * (said.std() / like.std())
        for place, factor in enumerate(FACTORS):
            precisions[place].append(_judged(said + factor * like, right, kept).precision)
    return [float(np.mean(some)) for some in precisions]


def measure(models: Models) -> str:
    """Both tables."""
    return f"{in_libraries(models)}\n{beside_a_sentence(models)}"
