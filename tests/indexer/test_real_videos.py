"""Films from cameras, editors and the web: every one of them becomes clips."""

import os
from pathlib import Path

import numpy as np
import pytest

FOLDER = os.environ.get("VSEARCH_TEST_VIDEOS")


@pytest.mark.skipif(FOLDER is None, reason="VSEARCH_TEST_VIDEOS names no folder with videos")
def test_every_real_film_is_indexed_to_its_end(index, catalog):
    report = index(Path(FOLDER))
    assert report.failed == ()
    texts = {".md", ".txt"}
    assert report.indexed == sum(p.suffix not in texts for p in Path(FOLDER).iterdir())
    matches = catalog.nearest(np.eye(16, dtype=np.float32)[0], limit=1000)
    assert len(matches) == report.clips
    ends: dict[Path, float] = {}
    for match in matches:
        ends[match.path] = max(ends.get(match.path, 0.0), match.end)
        assert ends[match.path] <= match.duration
    assert len(ends) == report.indexed
    assert sum(ends.values()) == pytest.approx(report.video_seconds)
