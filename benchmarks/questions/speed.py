"""Speed of each kind of question, and filters that leave much or little of a library.

`python -m benchmarks.questions.speed [FILMS...]`. The catalogs hold random clips, subtitles of
invented words and tags of random clips. All kinds are asked in turns, in one process that has model
and index loaded, with new sentences each time. What filters leave is compared with the products of
all stored vectors.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.answers.tables import table
from benchmarks.inputs.catalogs import (
    CLIPS_OF_EACH,
    bring_up_to_date,
    catalog_of,
    path_of,
    random_subtitles,
)
from benchmarks.inputs.models import CACHE, base_patch32
from benchmarks.measure.machine import describe_machine
from benchmarks.measure.timing import ratio, side_by_side
from benchmarks.query import sentences
from catalog import Catalog, Tag, VideoFilter
from machine import prepare_process
from search import LESS, Asked, Example, Searcher, Sentence, Sort, Step
from vsearch.services.answers.search import open_searcher
from vsearch.settings import Settings
from xclip_core.inputs.tokenizer import Tokenizer

FILMS = (40, 4000)  # 10,000 clips with frame vectors, and 1,000,000 without
CUES = 600_000  # at most, and at most 1,500 of a film
_CUES_OF_A_FILM = 1500
ROUNDS = 15
_NEAREST, _COMPARED = (10, 256), 10  # clips, and sentences, that are compared with all products
_ROWS = 65_536  # of a product with all vectors
# Of each nth film the last clips have a tag: a tenth, a hundredth, a thousandth of all.
_TAGGED = {"10 %": (25, 1), "1 %": (5, 2), "0.1 %": (1, 4)}
_SAID = {"rare words": "w15000", "a common word": "w100", "the commonest word": "w0"}
_EXAMPLE = Example(path_of(7), time=500.0)
_PLAIN = "a sentence (plain)"
_COMMAND: dict[str, Any] = {"per_video": 3, "fold": True}  # what `vsearch query` does by itself

Chosen = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter and the clips that it leaves: a mask (films, clips of each)."""

    name: str
    videos: VideoFilter
    leaves: Chosen


def prepared(model: Path, *, films: int) -> Path:
    """A catalog of random clips with subtitles and tags; made once."""
    source = catalog_of(model, films=films)
    folder = source.with_name(f"{source.name}-said-and-tagged")
    if folder.exists():
        return folder
    beside = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(source, beside)
    random = np.random.default_rng(1)
    cues = min(_CUES_OF_A_FILM, CUES // films)
    with Catalog.open(beside) as catalog:
        subtitles = [random_subtitles(number, random=random, cues=cues) for number in range(films)]
        catalog.details.put_subtitle_files(subtitles)
        ids = {video.paths[0]: video.video_id for video in catalog.videos()}
        for name, (clips, every) in _TAGGED.items():
            start, end = 4.0 * (CLIPS_OF_EACH - clips) + 1.0, 4.0 * CLIPS_OF_EACH + 4.0
            some_ids = [ids[path_of(number)] for number in range(0, films, every)]
            tags = [Tag(name, video_id, start, end, "likely", 0.1) for video_id in some_ids]
            catalog.tags.replace([name], tags)
        bring_up_to_date(catalog)
    beside.replace(folder)
    return folder


def filters(films: int) -> list[Filter]:
    """Filters on whole videos, then on tags of their moments."""
    number = np.arange(films)
    every = np.ones((films, CLIPS_OF_EACH), np.bool_)
    one_percent, few = max(films // 100, 1), max(films // 1000, 1)
    globs = {one_percent: _names_up_to(one_percent), few: _names_up_to(few)}
    found = [
        Filter("--min-duration, all", VideoFilter(min_duration=1.0), every),
        Filter(
            "--in two folders of 20",
            VideoFilter(inside=("/films/00", "/films/01")),
            every & (number % 20 < 2)[:, None],
        ),
    ]
    for count, glob in globs.items():
        named = "--in a name" if count == 1 else f"--in a glob on names, {count} films"
        found.append(Filter(named, VideoFilter(inside=(glob,)), every & (number < count)[:, None]))
    place = np.arange(CLIPS_OF_EACH)
    for name, (clips, nth) in _TAGGED.items():
        tagged = (number % nth == 0)[:, None] & (place >= CLIPS_OF_EACH - clips)
        found.append(Filter(f"--tag of {name} of the clips", VideoFilter(tags=(name,)), tagged))
    return found


def _names_up_to(count: int) -> str:
    """A glob on the names of the first films: 1 to 10 of them, or 10, 20, … to 100."""
    if count <= 10:
        return f"film 000[0-{count - 1}].mkv"
    return f"film 00[0-{count // 10 - 1}]?.mkv"


def kinds(texts: Iterator[str], *, some: Sequence[Filter]) -> dict[str, Callable[[], Asked]]:
    """Each kind of question, by its name; its sentences are new at each call."""
    ask = partial(_asked, texts)
    said = {
        f"{what} {where}": partial(ask, sentences, said=words)
        for what, words in _SAID.items()
        for sentences, where in ((0, "--said alone"), (1, "--said beside a sentence"))
    }
    return {
        _PLAIN: ask,
        "two sentences": partial(ask, 2),
        "a sentence, --not another": partial(ask, unwanted=1),
        "as the command asks (--per-video 3, folded)": partial(ask, **_COMMAND),
        "--show-duplicates (--per-video 3)": partial(ask, per_video=3),
        "--sort newest": partial(ask, sort=Sort.NEWEST, **_COMMAND),
        "--like a moment": partial(ask, 0, like=True, **_COMMAND),
        "a sentence, --like a moment": partial(ask, like=True, **_COMMAND),
        "a sentence, --then another": partial(ask, steps=2, **_COMMAND),
        **{f"{one.name}, {_share(one)}": partial(ask, videos=one.videos) for one in some},
        **said,
    }


def _share(one: Filter) -> str:
    return f"leaves {100 * one.leaves.mean():.3g} %"


def _asked(
    texts: Iterator[str],
    wanted: int = 1,
    *,
    unwanted: int = 0,
    like: bool = False,
    steps: int = 1,
    **options: Any,
) -> Asked:
    """A question of new sentences; `options` are further fields of `Asked`."""

    def step() -> Step:
        more = [Sentence(next(texts)) for _ in range(wanted)]
        less = [Sentence(next(texts), -LESS) for _ in range(unwanted)]
        return Step((*more, *less), (_EXAMPLE,) if like else ())

    return Asked(steps=tuple(step() for _ in range(steps)), **options)


def measure(model: Path, *, films: int, rounds: int = ROUNDS) -> Iterator[str]:
    """The tables of one size, as Markdown."""
    settings = Settings(home=CACHE, catalog=prepared(model, films=films))
    texts = sentences(Tokenizer.load(model))
    some = filters(films)
    with open_searcher(settings) as searcher, Catalog.open(settings.catalog) as catalog:
        cues = f"{catalog.status().cues:,} cues"
        size = f"{films * CLIPS_OF_EACH:,} clips"
        asked = kinds(texts, some=some)
        searcher.answer(asked[_PLAIN]())  # the first question of a process does without the index
        timings = side_by_side(
            {name: partial(_answered, searcher, make) for name, make in asked.items()},
            rounds=rounds,
        )
        rows = [
            [name, str(timing.figure), str(ratio(timing, timings[_PLAIN]))]
            for name, timing in timings.items()
        ]
        header = ["question", "time", "by that of the plain one, round by round"]
        yield table(f"Kinds of questions, {size}, {cues}, {rounds} rounds", header, rows)
        exact = [
            [one.name, f"{one.leaves.sum():,}", *_exactness(catalog, searcher, texts, one)]
            for one in some
        ]
        header = ["filter", "clips left", "moments of 10", *(f"nearest {n}" for n in _NEAREST)]
        yield table(f"Filters against all products, {size}, {_COMPARED} sentences", header, exact)


def _answered(searcher: Searcher, make: Callable[[], Asked]) -> None:
    searcher.answer(make())


def _exactness(
    catalog: Catalog, searcher: Searcher, texts: Iterator[str], one: Filter
) -> list[str]:
    """Moments that came, and how many of the nearest clips are those of all products."""
    ids, vectors = _left(catalog, one)
    came: set[int] = set()
    same, wanted = dict.fromkeys(_NEAREST, 0), dict.fromkeys(_NEAREST, 0)
    for _ in range(_COMPARED):
        asked = _asked(texts, videos=one.videos)
        came.add(len(searcher.answer(asked).hits))
        direction = searcher.questions(asked.steps)[0][0].direction
        order = np.argsort(-_products(vectors, direction), kind="stable")
        for limit in _NEAREST:
            clips = catalog.nearest_clips(direction, limit=limit, videos=one.videos)
            true = ids[order[:limit]].tolist()
            same[limit] += len({clip.clip_id for clip in clips}.intersection(true))
            wanted[limit] += len(true)
    exact = [f"{same[limit]:,} of {wanted[limit]:,} the same" for limit in _NEAREST]
    return [" or ".join(map(str, sorted(came))), *exact]


def _left(catalog: Catalog, one: Filter) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Ids (N,) and vectors (N, D) of the clips that a filter leaves, read without the product."""
    with closing(sqlite3.connect(catalog.folder / "catalog.sqlite")) as connection:
        rows = connection.execute(
            "SELECT clips.id, fingerprint, start, vector FROM clips"
            " JOIN videos ON videos.id = video_id ORDER BY clips.id"
        )
        left = [
            (clip_id, vector)
            for clip_id, film, start, vector in rows
            if one.leaves[int(film.removeprefix("film ")), int(start // 4)]
        ]
    vectors = np.frombuffer(b"".join(vector for _, vector in left), np.float16)
    return np.array([clip_id for clip_id, _ in left]), vectors.reshape(len(left), -1)


def _products(vectors: NDArray[np.float16], direction: NDArray[np.float32]) -> NDArray[np.float32]:
    parts = [
        vectors[begin : begin + _ROWS].astype(np.float32) @ direction
        for begin in range(0, len(vectors), _ROWS)
    ]
    return np.concatenate(parts)


def main() -> None:
    """Measure, and print the tables as Markdown."""
    prepare_process()  # like the product
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("films", nargs="*", type=int, default=FILMS, help="films of 250 clips")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    print(describe_machine(), flush=True)
    for films in arguments.films:
        for tables in measure(base_patch32(), films=films, rounds=arguments.rounds):
            print(f"\n{tables}", flush=True)


if __name__ == "__main__":
    main()
