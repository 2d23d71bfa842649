"""Labels for all moments: how much of what they name is found, and how long it takes.

Long toy videos are labelled by colours, by shapes, by motions and by whole captions, those that
occur and those that do not. A second counts as found where a moment under the label holds it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.answers.asked import Models, indexed, searchers
from benchmarks.answers.distortions import ALL, NONE, Distortion
from benchmarks.answers.long_videos import EDITION, Event, Library, make_library, plan_library
from benchmarks.answers.tables import table
from benchmarks.inputs.catalogs import CLIPS_OF_EACH, catalog_of
from benchmarks.inputs.models import CACHE, base_patch32
from catalog import EVERY_VIDEO, Catalog
from search import Confidence, Searcher, Sentence, Step
from search.tagging import TaggedMoment, tagged_moments
from toyworld.world import COMBINATIONS, QUESTIONS

LIBRARIES = (731, 732)
VIDEOS = 10
FILMS, LABELS = 400, 400  # of the library that is only timed
_PER_SECOND = 4  # points of time
_LEVELS = (Confidence.STRONG, Confidence.LIKELY, Confidence.WEAK)

Mask = NDArray[np.bool_]


@dataclass(slots=True)
class Found:
    """Points of time: true ones, and those under a label, right or wrong."""

    true: int = 0
    right: int = 0
    wrong: int = 0

    def count(self, true: Mask, found: Mask) -> None:
        """Add the points of one video and label."""
        self.true += int(true.sum())
        self.right += int((true & found).sum())
        self.wrong += int((found & ~true).sum())

    @property
    def cells(self) -> tuple[str, str, str]:
        """Precision, recall and the minutes that were found, as text."""
        found = self.right + self.wrong
        precision = f"{self.right / found:.2f}" if found else "–"
        minutes = found / _PER_SECOND / 60
        return precision, f"{self.right / max(self.true, 1):.2f}", f"{minutes:.1f}"


def measure(
    models: Models,
    *,
    libraries: Sequence[int] = LIBRARIES,
    videos: int = VIDEOS,
    folder: Path = CACHE,
) -> str:
    """Label libraries of long videos, as they are and with distorted vectors, as Markdown."""
    found: dict[tuple[str, str, Confidence], Found] = defaultdict(Found)
    for seed, distortion in product(libraries, (NONE, ALL)):
        library = plan_library(seed, videos=videos)
        place = folder / f"answers {EDITION}" / f"library {seed} of {videos}"
        make_library(place, library)
        with indexed([place], models=models, distortion=distortion) as catalog:
            for kind, level, one in _labelled(library, catalog, distortion, models=models):
                its = found[kind, distortion.name, level]
                its.true, its.right = its.true + one.true, its.right + one.right
                its.wrong += one.wrong
    rows = [
        [kind, distortion, f"at least {level}", *its.cells]
        for (kind, distortion, level), its in found.items()
    ]
    header = ["labels", "vectors", "moments", "precision", "recall", "minutes found"]
    return table(f"Labels of {len(libraries)} libraries, in seconds of video", header, rows)


def labels() -> dict[str, dict[str, str]]:
    """The sentence of each label by kind and name."""
    captions = {one.caption: one.caption for one in COMBINATIONS}
    return {**QUESTIONS, "caption": captions}


def _labelled(
    library: Library, catalog: Catalog, distortion: Distortion, *, models: Models
) -> Iterator[tuple[str, Confidence, Found]]:
    (searcher,) = searchers(
        catalog, distortion=distortion, settings=["default"], models=models
    ).values()
    events = {video.name: video.events for video in library.videos}
    events |= {copy: events[name] for name, copy in library.copies.items()}
    known = catalog.videos()
    for kind, sentences in labels().items():
        for level in _LEVELS:
            moments = _moments(searcher, catalog, sentences, least=level)
            found = Found()
            for video, name in product(known, sentences):
                true = [
                    (event.start, event.end)
                    for event in events[video.paths[0].name]
                    if _is_true(kind, name, event)
                ]
                under = moments.get((video.video_id, name), [])
                size = int(video.duration * _PER_SECOND) + 1
                found.count(_mask(true, size), _mask(under, size))
            yield kind, level, found


def _moments(
    searcher: Searcher, catalog: Catalog, sentences: Mapping[str, str], *, least: Confidence
) -> dict[tuple[int, str], list[tuple[float, float]]]:
    """The moments under labels by video and label."""
    questions, _ = searcher.questions([Step((Sentence(text),)) for text in sentences.values()])
    asked = dict(zip(sentences, questions, strict=True))
    spans = defaultdict(list)
    with catalog.library() as vectors:
        if vectors is None:
            raise SystemExit("the catalog is empty")
        every: Iterator[TaggedMoment] = tagged_moments(
            asked, vectors, vectors.clip_ids(EVERY_VIDEO), least=least
        )
        for one in every:
            spans[one.video_id, one.name].append((one.hit.start, one.hit.end))
    return spans


def _is_true(kind: str, name: str, event: Event) -> bool:
    return bool(getattr(event.combination, kind) == name)


def _mask(spans: Sequence[tuple[float, float]], size: int) -> Mask:
    """The points of time (T,) that lie in the spans."""
    inside = np.zeros(size, np.bool_)
    for start, end in spans:
        inside[round(start * _PER_SECOND) : round(end * _PER_SECOND)] = True
    return inside


def measure_speed() -> str:
    """Time and memory of `vsearch tag`, the whole command, as Markdown."""
    catalog = catalog_of(base_patch32(), films=FILMS)
    rng = np.random.default_rng(9)
    words = ("dog", "cat", "child", "car", "beach", "snow", "forest", "kitchen", "train", "horse")
    lines = {" ".join(rng.choice(words, 8)) for _ in range(2 * LABELS)}
    with tempfile.TemporaryDirectory() as home:
        file = Path(home) / "labels.txt"
        file.write_text("\n".join(sorted(lines)[:LABELS]))
        command = [sys.executable, "-m", "vsearch", "tag", "--labels", str(file), "--csv", "-q"]
        command += ["--catalog", str(catalog), "--min-confidence", "weak"]
        environment = {**os.environ, "VSEARCH_HOME": home}
        rows = []
        for what in ("new labels", "the same labels again", "the same, kept as tags"):
            begin, worked = time.perf_counter(), _cpu_seconds()
            kept = ["--write"] if "kept" in what else []
            done = subprocess.run(
                [*command, *kept], env=environment, check=True, capture_output=True, text=True
            )
            took = time.perf_counter() - begin
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            moments = len(done.stdout.splitlines()) - 1
            cpu = _cpu_seconds() - worked
            rows.append([what, f"{took:.1f} s", f"{cpu:.1f} s", f"{peak:.0f} MiB", f"{moments:,}"])
    with Catalog.open(catalog) as opened:
        opened.tags.remove([one.name for one in opened.tags.counted()])
    clips = f"{FILMS * CLIPS_OF_EACH:,} clips × {LABELS} labels of 8 words, base-patch32"
    return table(
        f"`vsearch tag`, {clips}", ["run", "time", "of a core", "peak memory", "moments"], rows
    )


def _cpu_seconds() -> float:
    """What child processes that have ended took of the cores."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
