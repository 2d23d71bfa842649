"""Words beside a sentence, narrowing or boosting: `python -m benchmarks.questions.said`.

The long toy videos get invented subtitles. With each event one of twelve phrases is said: while it
is seen, a few seconds before or after it, or at quite another time; and each phrase is said about
as often elsewhere. The question is the caption of an event with its phrase, the answer this event
alone. Compared are the sentence alone, the words alone, only moments near the words (`narrow`), and
the fusion of both rankings by reciprocal ranks (`boost`: Cormack et al., SIGIR 2009).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.answers.asked import Models, indexed, searchers
from benchmarks.answers.distortions import Distortion
from benchmarks.answers.long_videos import EDITION, Library, make_library, plan_library
from benchmarks.answers.tables import table
from benchmarks.inputs.catalogs import CLIPS_OF_EACH, add_film, random_subtitles
from benchmarks.inputs.models import CACHE
from catalog import Catalog, Cue, Provenance, SubtitleFile, VideoFilter
from search import Asked, Hit, Searcher, Sentence, Step
from toyworld.world import Combination

_PHRASES = (
    "happy birthday", "good morning", "look at that", "over here", "ready steady go", "well done",
    "mind the gap", "once again", "dinner is ready", "thank you all", "who is next", "see you soon",
)  # fmt: skip
_WHEN = {"while it is seen": 0.6, "a few seconds beside it": 0.25, "at another time": 0.15}
SEEDS = (1, 2, 3, 4, 5, 6)
_VIDEOS = 4  # of each library
FILMS, _CUES, _DIM = 400, 1500, 512
_ASKED = {"rare words": "w15000", "a phrase": "w3 w5", "the commonest word": "w0"}
_SECONDS = 2.0  # of a cue
_BESIDE = 4.0  # seconds before or after an event, at most
_LIMIT, _POOL = 10, 100
_RANK = 60  # the usual constant of the fusion


@dataclass(frozen=True, slots=True)
class Spoken:
    """An event of a video with what is said about it, and when."""

    path: Path
    start: float
    end: float
    combination: Combination
    phrase: str
    when: str


def speak(
    library: Library, place: Path, *, seed: int
) -> tuple[list[Spoken], dict[Path, list[Cue]]]:
    """What is said in a library: about its events, and as often elsewhere."""
    rng = np.random.default_rng([EDITION, seed, 7])
    events: list[Spoken] = []
    cues: dict[Path, list[Cue]] = {}
    for video in library.videos:
        if video.of is not None:
            continue
        path = place / video.name
        said = cues.setdefault(path, [])
        for event in video.events:
            if event.second:
                continue
            phrase = _PHRASES[int(rng.integers(len(_PHRASES)))]
            when = str(rng.choice([*_WHEN], p=[*_WHEN.values()]))
            beside = float(rng.uniform(0, _BESIDE))
            at = {
                "while it is seen": float(rng.uniform(event.start, event.end - 1)),
                "a few seconds beside it": event.end + beside
                if rng.random() < 0.5
                else max(event.start - beside - _SECONDS, 0.0),
                "at another time": float(rng.uniform(0, video.duration - _SECONDS)),
            }[when]
            said.append(Cue(at, at + _SECONDS, phrase))
            elsewhere = float(rng.uniform(0, video.duration - _SECONDS))
            other = _PHRASES[int(rng.integers(len(_PHRASES)))]
            said.append(Cue(elsewhere, elsewhere + _SECONDS, other))
            events.append(Spoken(path, event.start, event.end, event.combination, phrase, when))
    return events, cues


def fused(seen: Sequence[Hit], heard: Sequence[Hit]) -> list[Hit]:
    """Both rankings as one: a moment that is near one of the other ranking counts for both."""
    scores: list[tuple[float, Hit]] = []
    taken: set[int] = set()
    for rank, hit in enumerate(seen, start=1):
        near = [place for place, cue in enumerate(heard) if _near(hit, cue)]
        taken.update(near)
        with_words = 1 / (_RANK + near[0] + 1) if near else 0.0
        scores.append((1 / (_RANK + rank) + with_words, hit))
    alone = [(1 / (_RANK + place + 1), cue) for place, cue in enumerate(heard)]
    scores += [one for place, one in enumerate(alone) if place not in taken]
    return [hit for _, hit in sorted(scores, key=lambda one: -one[0])]


def _near(hit: Hit, cue: Hit, *, seconds: float = 5.0) -> bool:
    return hit.path == cue.path and cue.start < hit.end + seconds and hit.start - seconds < cue.end


def _asked(caption: str | None, phrase: str | None, *, limit: int = _LIMIT) -> Asked:
    sentences = () if caption is None else (Sentence(caption),)
    return Asked(steps=(Step(sentences),), limit=limit, said=phrase)


def ways(searcher: Searcher) -> dict[str, Callable[[Spoken], Sequence[Hit]]]:
    """Each way to answer a question for an event."""

    def hits(caption: str | None, phrase: str | None, limit: int = _LIMIT) -> Sequence[Hit]:
        return searcher.answer(_asked(caption, phrase, limit=limit)).hits

    return {
        "sentence alone": lambda event: hits(event.combination.caption, None),
        "words alone": lambda event: hits(None, event.phrase),
        "narrow": lambda event: hits(event.combination.caption, event.phrase),
        "boost": lambda event: fused(
            hits(event.combination.caption, None, _POOL), hits(None, event.phrase, _POOL)
        )[:_LIMIT],
    }


def rank_of(event: Spoken, hits: Sequence[Hit]) -> int | None:
    """The rank of the first hit that shares at least half of the shorter one with the event."""
    for rank, hit in enumerate(hits, start=1):
        shared = min(hit.end, event.end) - max(hit.start, event.start)
        shorter = min(hit.end - hit.start, event.end - event.start)
        if hit.path == event.path and shared >= 0.5 * shorter > 0.0:
            return rank
    return None


def _put(catalog: Catalog, cues: dict[Path, list[Cue]]) -> None:
    catalog.details.put_subtitle_files(
        [
            SubtitleFile(
                path.with_suffix(".srt"), 1, 1, (path,), cues=tuple(sorted(said, key=_start))
            )
            for path, said in cues.items()
        ]
    )


def _start(cue: Cue) -> float:
    return cue.start


def reciprocal_ranks(
    seed: int, *, videos: int, models: Models
) -> dict[tuple[str, str], list[float]]:
    """Reciprocal ranks of the events of a library, by when words are said, and way."""
    library = plan_library(seed, videos=videos)
    place = CACHE / f"answers {EDITION}" / f"library {seed} of {videos}"
    make_library(place, library)
    events, cues = speak(library, place.resolve(), seed=seed)
    found: dict[tuple[str, str], list[float]] = {}
    plain = Distortion("none")
    with indexed([place], models=models, distortion=plain) as catalog:
        _put(catalog, cues)
        (searcher,) = searchers(
            catalog, distortion=plain, settings=["default"], models=models
        ).values()
        for event in events:
            for way, answer in ways(searcher).items():
                rank = rank_of(event, answer(event))
                for when in (event.when, "all"):
                    found.setdefault((when, way), []).append(0.0 if rank is None else 1 / rank)
    return found


def measure(models: Models, seeds: Sequence[int] = SEEDS) -> str:
    """Each way to use the words, as Markdown."""
    found: dict[tuple[str, str], list[float]] = {}
    for seed in seeds:
        for key, ranks in reciprocal_ranks(seed, videos=_VIDEOS, models=models).items():
            found.setdefault(key, []).extend(ranks)
    rows = [
        [
            f"{when} ({len(found[when, way])})",
            way,
            f"{np.mean(found[when, way]):.3f}",
            f"{np.mean(np.array(found[when, way]) == 1.0):.3f}",
        ]
        for when in (*_WHEN, "all")
        for way in ("sentence alone", "words alone", "narrow", "boost")
        if (when, way) in found
    ]
    return table("Words beside a sentence", ["words are said", "way", "MRR@10", "R@1"], rows)


def measure_speed(*, films: int = FILMS) -> str:
    """Milliseconds of questions to a large catalog with subtitles, as Markdown."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Catalog.open(Path(folder) / "catalog", create=True) as catalog,
    ):
        vectors = _fill(catalog, films=films)
        asked: dict[str, Callable[[np.ndarray], object]] = {
            "nearest clips": lambda v: catalog.nearest_clips(v, limit=256),
        }
        for kind, words in _ASKED.items():
            beside = VideoFilter(said=words)
            asked[f"nearest clips near {kind}"] = lambda v, w=beside: catalog.nearest_clips(  # type: ignore[misc]
                v, limit=256, videos=w
            )
            asked[f"words alone: {kind}"] = lambda _, w=words: catalog.details.cues_saying(  # type: ignore[misc]
                w, limit=10
            )
        rows = []
        for what, ask in asked.items():
            ask(vectors[0])
            times = []
            for vector in vectors:
                begin = time.perf_counter()
                ask(vector)
                times.append(1000 * (time.perf_counter() - begin))
            rows.append([what, f"{np.median(times):.1f} ms", f"{max(times):.1f} ms"])
        cues = catalog.status().cues
    size = f"{films * CLIPS_OF_EACH:,} clips, {cues:,} cues"
    return table(f"Time of a question, {size}", ["question", "median", "longest of 21"], rows)


def _fill(catalog: Catalog, *, films: int) -> Sequence[np.ndarray]:
    """Random clips, and cues of words as frequent as in speech: the nth by 1/n; some vectors."""
    rng = np.random.default_rng(3)
    catalog.bind(Provenance("random", None, "ab" * 32, _DIM, 8, 8.0, 4.0))
    for number in range(films):
        add_film(catalog, number, random=rng, dim=_DIM)
        catalog.details.put_subtitle_files([random_subtitles(number, random=rng, cues=_CUES)])
    catalog.save_snapshot()
    drawn = rng.standard_normal((21, _DIM)).astype(np.float32)
    return [*(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))]


if __name__ == "__main__":
    print(measure(Models.load()))
    print(measure_speed())
