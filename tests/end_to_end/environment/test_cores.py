"""One usable core or two, one video at a time or several: clips and answers are the same."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SENTENCES = ("a red circle moving left", "a blue square", "nothing at all")
# Cosines: vectors are stored in float16, and a batch of another size rounds differently.
TOLERANCE = 5e-4
ENOUGH = hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """A block in which processes that are started may use so many."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def clips_of(home: Path) -> dict[tuple[str, float, float], np.ndarray]:
    """Each clip's vector, by its file and span."""
    query = (
        "SELECT relative_path, start, end, vector FROM clips JOIN files USING (video_id)"
        " ORDER BY relative_path, start"
    )
    with closing(sqlite3.connect(home / "catalog" / "catalog.sqlite")) as catalog:
        rows = catalog.execute(query).fetchall()
    return {tuple(row[:3]): np.frombuffer(row[3], "<f2").astype(np.float32) for row in rows}


def answers_of(vsearch: Any) -> list[list[dict[str, Any]]]:
    """The hits of each sentence."""
    return [vsearch("query", sentence, "--all", "--json").json["hits"] for sentence in SENTENCES]


def best_of_videos(hits: list[dict[str, Any]]) -> dict[str, float]:
    """The best score of each video."""
    return {hit["path"]: hit["score"] for hit in reversed(hits)}


@pytest.mark.skipif(not ENOUGH, reason="CORES: there is only one here, or no choice")
def test_neither_cores_nor_workers_change_a_clip_or_an_answer(
    tmp_path: Path, library: Path, model: Path, run_from: Callable[..., Any]
) -> None:
    clips, scores, homes = [], [], []
    for cores, workers in ((1, 1), (2, 3)):
        vsearch = run_from(tmp_path / f"{cores} cores")
        with on_cores(cores):
            run = vsearch("index", library, "--model", model, "--workers", workers, "--json")
            assert run.code == 0, run.err
            scores.append([best_of_videos(hits) for hits in answers_of(vsearch)])
        clips.append(clips_of(vsearch.home))
        homes.append(vsearch)
    one, other = clips
    assert list(one) == list(other)
    for span, vector in one.items():
        assert other[span] == pytest.approx(vector, abs=TOLERANCE)
    for few, many in zip(*scores, strict=True):
        assert few == pytest.approx(many, abs=TOLERANCE)
    # Where a moment ends may hang on a last bit, so cores are compared on the same vectors.
    with on_cores(1):
        answers = answers_of(homes[0])
    with on_cores(2):
        assert answers_of(homes[0]) == answers
