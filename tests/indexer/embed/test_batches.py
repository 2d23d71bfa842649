"""Clips of videos on their way through the model, and back to their videos as vectors."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from catalog import ClipSpan, QuantisedVectors, VideoRecord
from indexer.decode.messages import ClipRead, VideoOpened
from indexer.embed.batches import READ_AHEAD, Batcher
from indexer.embed.threads import EmbeddedBatch, EmbedderPool
from indexer.scan.fingerprint import read_sample
from indexer.scan.jobs import VideoJob, location_of
from indexer.scan.walk import FoundFile
from tests.indexer.colours import DIM, FRAMES, SIZE, ColourEmbedder

SPANS = tuple(ClipSpan(4.0 * number, 4.0 * number + 8.0) for number in range(4))


@pytest.fixture
def batches(embedder: ColourEmbedder) -> Iterator[Batcher]:
    embedder.clips_wanted = 2
    with closing(EmbedderPool(embedder)) as pool:
        yield Batcher(pool, dim=DIM)


def job(path: Path) -> VideoJob:
    state = path.stat()
    found = FoundFile(
        root=path.parent, pathname=str(path), size=state.st_size, mtime_ns=state.st_mtime_ns
    )
    return VideoJob(found, read_sample(path))


def opened(path: Path) -> VideoOpened:
    record = VideoRecord("fingerprint", 20.0, 64, 48, 2.0, "h264", "mp4")
    location = location_of(job(path).file, read_sample(path))
    return VideoOpened(record, location, SPANS, tuple(range(len(SPANS))))


def clip(number: int, *, level: int) -> ClipRead:
    return ClipRead(number, np.full((FRAMES, SIZE, SIZE, 3), level, np.uint8))


def embed_all(batches: Batcher) -> list:
    """The videos that got vectors until none is to come."""
    films = []
    batches.submit(least=1)
    while not batches.is_empty:
        batches.wait()
        films += batches.collect()
        batches.submit(least=1)
    return films


def test_clips_of_several_videos_share_a_batch_and_each_gets_its_vectors(film, batches, embedder):
    one, other = job(film("a.mp4", seconds=1)), job(film("b.mp4", seconds=1, first=90))
    for each in (one, other):
        batches.open(each, opened(each.file.path), partial=None)
    batches.pool.start()
    batches.add(one, clip(0, level=10))
    embed_all(batches)  # alone, as nothing else waits
    batches.add(one, clip(1, level=20))
    batches.add(other, clip(0, level=30))
    assert embed_all(batches) == [batches.video(one), batches.video(other)]
    assert [len(batch) for batch in embedder.batches] == [1, 2]
    expected = embedder.embed_clips(
        np.stack([clip(0, level=level).frames for level in (10, 20, 30)])
    )
    np.testing.assert_array_equal(batches.video(one).vectors[:2], expected[:2])
    np.testing.assert_array_equal(batches.video(other).vectors[:1], expected[2:])
    of_clip = batches.video(other).frames[0]
    np.testing.assert_allclose(of_clip.vectors().mean(axis=0), expected[2], atol=0.01)


def test_decoding_goes_a_bounded_number_of_clips_ahead(film, batches):
    one = job(film("a.mp4", seconds=1))
    batches.open(one, opened(one.file.path), partial=None)
    added = 0
    while not batches.is_full:  # nothing is embedded: the model is not loaded
        batches.add(one, clip(added % 4, level=added))
        batches.submit()
        added += 1
    assert added == 2 + READ_AHEAD  # two batches of one clip, and those that wait
    assert not batches.is_empty
    batches.pool.start()
    embed_all(batches)
    assert batches.video(one).embedded == added


def test_a_batch_of_another_number_of_vectors_than_clips_is_refused():
    frames = QuantisedVectors.of(np.zeros((2, FRAMES, DIM), np.float32))
    with pytest.raises(ValueError, match="vectors for 3 clips"):
        EmbeddedBatch(np.zeros((2, DIM), np.float32), frames, tags=range(3))
    with pytest.raises(ValueError, match=r"frames .* for 3 clips"):
        EmbeddedBatch(np.zeros((3, DIM), np.float32), frames, tags=range(3))


def test_vectors_for_a_video_that_was_given_up_meanwhile_go_to_nobody(film, batches):
    one = job(film("a.mp4", seconds=1))
    batches.open(one, opened(one.file.path), partial=None)
    batches.pool.start()
    batches.add(one, clip(0, level=10))
    batches.submit(least=1)
    batches.add(one, clip(1, level=10))
    batches.close(one)
    assert embed_all(batches) == []
    assert list(batches.videos) == []
