"""Videos from cameras, editors and the web: every one of them becomes clips."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer import Sampling, plan_clips
from indexer.decode.plan import FrameSchedule
from media import decode_at, probe
from xclip_core.embedder import Embedder

FOLDER = os.environ.get("VSEARCH_TEST_VIDEOS")


@pytest.mark.skipif(FOLDER is None, reason="VSEARCH_TEST_VIDEOS names no folder with videos")
def test_every_real_video_is_indexed_to_its_end(index, catalog):
    report = index(Path(FOLDER))
    assert report.failed == ()
    texts = {".md", ".txt"}
    assert report.indexed == sum(p.suffix not in texts for p in Path(FOLDER).iterdir())
    matches = catalog.nearest_clips(np.eye(16, dtype=np.float32)[0], limit=1000)
    assert len(matches) == report.clips
    ends: dict[Path, float] = {}
    for match in matches:
        ends[match.path] = max(ends.get(match.path, 0.0), match.end)
        assert ends[match.path] <= match.duration
    assert len(ends) == report.indexed
    assert list(ends.values()) == pytest.approx([probe(path).end for path in ends])
    assert report.video_seconds == pytest.approx(sum(probe(path).duration for path in ends))


@pytest.mark.skipif(FOLDER is None, reason="VSEARCH_TEST_VIDEOS names no folder with videos")
def test_pictures_that_the_decoder_shrinks_mean_what_the_exact_ones_mean():
    embedder = Embedder.load("demo", device="cpu", precision="fp32")
    processor = replace(embedder.processor, size={"shortest_edge": 224}, crop_size=224)
    for path in sorted(Path(FOLDER).glob("*.[magw]*")):
        if path.suffix == ".md":
            continue
        video = probe(path)
        height, width = processor.resized(height=video.height, width=video.width)
        assert height <= video.height
        times = [video.duration * (index + 0.5) / 8 for index in range(8)]
        exact = [frame.pixels for frame in decode_at(video, times)]
        shrunk = [frame.pixels for frame in decode_at(video, times, size=(height, width))]
        for large, small in zip(exact, shrunk, strict=True):
            expected, found = processor.prepare_frame(large), processor.prepare_frame(small)
            assert np.abs(expected.astype(int) - found).mean() <= 2.0, path.name
        clips = [np.stack([embedder.prepare_frame(p) for p in ps]) for ps in (exact, shrunk)]
        one, other = embedder.embed_clips(np.stack(clips))
        assert one @ other >= 0.995, path.name


@pytest.mark.skipif(FOLDER is None, reason="VSEARCH_TEST_VIDEOS names no folder with videos")
def test_frames_taken_for_their_price_are_as_exact_as_those_asked_for():
    for path in sorted(Path(FOLDER).glob("*.[magw]*")):
        if path.suffix == ".md":
            continue
        video = probe(path)
        schedule = FrameSchedule(
            plan_clips(video.end, start=video.start, window=8.0, stride=4.0), frames=8
        )
        tolerance = Sampling.AUTO.tolerance(distance=schedule.distance)
        size = (video.height // 2, video.width // 2)
        taken = list(decode_at(video, schedule.times, size=size, tolerance=tolerance))
        told = sorted(frame.time for frame in taken)
        exact = list(decode_at(replace(video, packets=None), told, size=size))
        assert [frame.time for frame in exact] == [frame.time for frame in taken] == told
        for one, other in zip(exact, taken, strict=True):
            assert np.array_equal(one.pixels, other.pixels), path.name
