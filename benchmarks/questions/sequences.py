"""One thing after another in long videos: formulas side by side; and what is folded of an answer.

Two events that follow each other within 20 s are asked for by their captions. Right is a first pair
of which each half shares most of itself, or of the event, with the event that it is about.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.answers.asked import Models, indexed, searchers
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
from benchmarks.answers.tables import mean_and_spread, table
from benchmarks.inputs.models import CACHE
from catalog import Catalog, ClipMatch
from media import decode_at, probe, write_video
from search import WITHIN, Asked, Hit, Searcher, Sentence, Step
from search.moments.of_clips import Curves, moments_on
from search.moments.ranking import Moment, ranked

LIBRARIES = (703, 704)
_VIDEOS = 10
_EARLY = 1.0  # as in the product
_CUT = "video-02.mp4"
_CUT_FROM, _CUT_SECONDS, _CUT_RATE = 17.35, 100, 15

Pair = tuple[Event, Event]
Span = tuple[str, float, float]  # the name of a video, start and end


@dataclass(frozen=True, slots=True)
class _Step:
    """All clips of a library as moments or as they are, with their shares of the best score."""

    spans: Sequence[tuple[Span, float]]

    def by_video(self) -> dict[str, list[tuple[Span, float]]]:
        """Those of each video, by its name."""
        found: dict[str, list[tuple[Span, float]]] = {}
        for span, share in self.spans:
            found.setdefault(span[0], []).append((span, share))
        return found


def pairs_of(library: Library) -> list[tuple[LongVideo, Pair]]:
    """Neighbours that follow each other within the usual time; second shapes are not asked for."""
    found = []
    for video in library.videos:
        first = [event for event in video.events if not event.second]
        for one, other in pairwise(first):
            if video.of is None and other.start <= one.end + WITHIN:
                found.append((video, (one, other)))
    return found


def _right(library: Library, spans: Sequence[Span], asked: Pair) -> bool:
    """Whether the spans show the asked combinations one after the other, wherever it is."""
    (name, *_), _ = spans
    name = next((its for its, copy in library.copies.items() if copy == name), name)
    video = next((one for one in library.videos if one.name == name), None)
    if video is None or spans[1][1] < spans[0][1]:
        return False
    return all(
        any(_shares(span, event) for event in video.events if event.combination == of.combination)
        for span, of in zip(spans, asked, strict=True)
    )


def _shares(span: Span, event: Event) -> bool:
    _, start, end = span
    shared = min(end, event.end) - max(start, event.start)
    return shared >= min(end - start, event.end - event.start) / 2


def _best_pair(
    steps: Sequence[_Step], join: Callable[[float, float], float], *, ordered: bool = True
) -> Sequence[Span] | None:
    """The pair with the highest of all values, compared one by one."""
    first, second = steps
    by_video = second.by_video()
    best, found = -np.inf, None
    for one, share in first.spans:
        for other, its in by_video.get(one[0], ()):
            if join(share, its) <= best:
                continue
            follows = one[2] - _EARLY <= other[1] <= one[2] + WITHIN
            comes_before = other[2] - _EARLY <= one[1] <= other[2] + WITHIN
            if follows or (not ordered and comes_before):
                best, found = join(share, its), (one, other)
    return found


METHODS = (
    "pair of moments, least share (the product)",
    "pair of moments, sum of shares",
    "pair of clips, least share",
    "pair of clips, sum of shares",
    "pair of moments, least share, order ignored",
    "both captions as one sentence",
)


def _sum(one: float, other: float) -> float:
    return one + other


def first_right(seed: int, distortion: Distortion, models: Models) -> dict[str, float]:
    """The share of pairs of which each method finds a right one first."""
    library = plan_library(seed, videos=_VIDEOS)
    place = CACHE / f"answers {EDITION}" / f"library {seed} of {_VIDEOS}"
    make_library(place, library)
    found: dict[str, list[bool]] = {name: [] for name in METHODS}
    with indexed([place, *_real_videos()], models=models, distortion=distortion) as catalog:
        searcher = _searcher(catalog, distortion, models)
        for _, pair in pairs_of(library):
            captions = [event.combination.caption for event in pair]
            steps = [_steps(catalog, searcher, text) for text in captions]
            clips, moments = [one for one, _ in steps], [one for _, one in steps]
            answers = (
                _asked(searcher, captions),
                _best_pair(moments, _sum),
                _best_pair(clips, min),
                _best_pair(clips, _sum),
                _best_pair(moments, min, ordered=False),
                _one_sentence(searcher, captions),
            )
            for name, spans in zip(METHODS, answers, strict=True):
                found[name].append(spans is not None and _right(library, spans, pair))
    return {name: float(np.mean(right)) for name, right in found.items()}


def _searcher(catalog: Catalog, distortion: Distortion, models: Models) -> Searcher:
    by_name = searchers(catalog, distortion=distortion, settings=["default"], models=models)
    return by_name["default"]


def _asked(searcher: Searcher, captions: Sequence[str]) -> Sequence[Span] | None:
    steps = tuple(Step((Sentence(text),)) for text in captions)
    hits = searcher.answer(Asked(steps=steps, limit=1)).hits
    return [_span(part) for part in hits[0].parts] if hits else None


def _one_sentence(searcher: Searcher, captions: Sequence[str]) -> Sequence[Span] | None:
    """The whole moment stands for both parts."""
    hits = searcher.search(", then ".join(captions), limit=1).hits
    return [_span(hits[0])] * 2 if hits else None


def _span(hit: Hit) -> Span:
    return hit.path.name, hit.start, hit.end


def _steps(catalog: Catalog, searcher: Searcher, caption: str) -> tuple[_Step, _Step]:
    """All clips of the library, and all moments, with their shares of the best score."""
    (question,), _ = searcher.questions([Step((Sentence(caption),))])
    with catalog.library() as library:
        if library is None:
            raise SystemExit("the library holds no clips")
        near = catalog.nearest_clips(question.direction, limit=library.count())
        ids = np.array([clip.clip_id for clip in near], np.int64)
        scores = question.scores(library.of(ids)).tolist()
        clips = ranked(replace(clip, score=score) for clip, score in zip(near, scores, strict=True))
        curves = Curves(library, question, question.ordinary or 0.0)
        moments = list(moments_on(curves, clips))
    best = clips[0].score
    return _Step([(_place(clip, clip), clip.score / best) for clip in clips]), _Step(
        [(_place(one.best, one), one.best.score / best) for one in moments]
    )


def _place(clip: ClipMatch, of: ClipMatch | Moment) -> Span:
    return clip.path.name, of.start, of.end


@dataclass(frozen=True, slots=True)
class Folded:
    """What ten moments are for each caption that is true of something."""

    shown: float  # moments
    distinct: float  # of them, stretches that are no other's
    folded: int
    wrongly: int
    cpu_ms: float


ANSWERS: dict[str, dict[str, int | bool]] = {
    "as they rank": {},
    "--per-video 3": {"per_video": 3},
    "folded": {"fold": True},
    "folded, --per-video 3 (the command)": {"fold": True, "per_video": 3},
}


def folded(seed: int, models: Models) -> dict[str, Folded]:
    """Answers of a library with a copy, a re-encoded and a cut video, by their way."""
    library = plan_library(seed, videos=_VIDEOS)
    place = CACHE / f"answers {EDITION}" / f"library {seed} of {_VIDEOS}"
    make_library(place, library)
    cut = _cut_version(place)
    captions = [one.caption for one in sorted(stretches(library))]
    found: dict[str, list[tuple[Sequence[Hit], float]]] = {way: [] for way in ANSWERS}
    with indexed([place, cut, *_real_videos()], models=models, distortion=NONE) as catalog:
        searcher = _searcher(catalog, NONE, models)
        for caption in captions:
            for way, fields in ANSWERS.items():
                begin = time.process_time()
                result = searcher.answer(replace(Asked.of(caption), **fields))  # type: ignore[arg-type]
                found[way].append((result.hits, 1000 * (time.process_time() - begin)))
    return {way: _counted(library, answers) for way, answers in found.items()}


def _cut_version(place: Path) -> Path:
    """A part of a video: cropped by a tenth, with another rate, and compressed harder."""
    path = place.with_name(f"{place.name} cut") / "cut.mp4"
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        rate = Fraction(_CUT_RATE)
        times = [_CUT_FROM + float(n / rate) for n in range(_CUT_SECONDS * _CUT_RATE)]
        frames = (one.pixels[6:114, 8:152] for one in decode_at(probe(place / _CUT), times))
        write_video(path, frames, frame_rate=rate, crf=36)
    return path


def _counted(library: Library, answers: Sequence[tuple[Sequence[Hit], float]]) -> Folded:
    folds = [
        _overlap(_original(library, hit), _original(library, other))
        for hits, _ in answers
        for hit in hits
        for other in hit.duplicates
    ]
    return Folded(
        shown=float(np.mean([len(hits) for hits, _ in answers])),
        distinct=float(np.mean([len(list(_distinct(library, hits))) for hits, _ in answers])),
        folded=len(folds),
        wrongly=folds.count(False),
        cpu_ms=median(took for _, took in answers),
    )


def _distinct(library: Library, hits: Sequence[Hit]) -> Iterator[Span]:
    seen: list[Span] = []
    for span in (_original(library, hit) for hit in hits):
        if not any(_overlap(span, other) for other in seen):
            seen.append(span)
            yield span


def _original(library: Library, hit: Hit) -> Span:
    """The place of a moment in the video that its own was made from."""
    name, start, end = _span(hit)
    if name == "cut.mp4":
        return _CUT, start + _CUT_FROM, end + _CUT_FROM
    of = next((video.of for video in library.videos if video.name == name), None)
    return of or name, start, end


def _overlap(one: Span, other: Span) -> bool:
    shared = min(one[2], other[2]) - max(one[1], other[1])
    return one[0] == other[0] and shared >= min(one[2] - one[1], other[2] - other[1]) / 2


def measure(models: Models) -> str:
    """Both tables, as Markdown."""
    rows = []
    for distortion in (NONE, ALL):
        by_library = [first_right(seed, distortion, models) for seed in LIBRARIES]
        rows += [
            [name, distortion.name, mean_and_spread([found[name] for found in by_library])]
            for name in METHODS
        ]
    asked = sum(len(pairs_of(plan_library(seed, videos=_VIDEOS))) for seed in LIBRARIES)
    title = f"One event, then another within {WITHIN:.0f} s ({asked} pairs)"
    answers = [folded(seed, models) for seed in LIBRARIES]
    header = ["answer", "moments", "distinct", "folded", "of them wrongly", "CPU ms, median"]
    return "\n".join(
        [
            table(title, ["method", "vectors", "first right"], rows),
            table("Ten moments for each caption", header, list(_folded_rows(answers))),
        ]
    )


def _folded_rows(answers: Sequence[dict[str, Folded]]) -> Iterator[list[str]]:
    for way in ANSWERS:
        its = [found[way] for found in answers]
        yield [
            way,
            f"{np.mean([one.shown for one in its]):.2f}",
            f"{np.mean([one.distinct for one in its]):.2f}",
            str(sum(one.folded for one in its)),
            str(sum(one.wrongly for one in its)),
            f"{np.mean([one.cpu_ms for one in its]):.1f}",
        ]


def _real_videos() -> list[Path]:
    folder = os.environ.get("VSEARCH_TEST_VIDEOS")
    return [Path(folder)] if folder else []
