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


@pytest.mark.skipif(not ENOUGH, reason="CORES: there is only one here, or no choice")
def test_neither_cores_nor_workers_change_a_clip_or_an_answer(
    tmp_path: Path, library: Path, model: Path, run_from: Callable[..., Any]
) -> None:
    clips, answers = [], []
    for cores, workers in ((1, 1), (2, 3)):
        vsearch = run_from(tmp_path / f"{cores} cores")
        with on_cores(cores):
            run = vsearch("index", library, "--model", model, "--workers", workers, "--json")
            assert run.code == 0, run.err
            clips.append(clips_of(vsearch.home))
            asked = [vsearch("query", sentence, "--all", "--json") for sentence in SENTENCES]
            answers.append([hit for run in asked for hit in run.json["hits"]])
    one, other = clips
    assert list(one) == list(other)
    for span, vector in one.items():
        assert other[span] == pytest.approx(vector, abs=TOLERANCE)
    told = [[(hit["path"], hit["start"], hit["end"]) for hit in hits] for hits in answers]
    assert told[0] == told[1]
    scores = [[hit["score"] for hit in hits] for hits in answers]
    assert scores[0] == pytest.approx(scores[1], abs=TOLERANCE)
